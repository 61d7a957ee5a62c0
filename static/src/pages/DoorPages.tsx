import { NotFoundPage } from "./NotFoundPage.tsx";

export const SetupPage = NotFoundPage;
export const SignInPage = NotFoundPage;
export const JoinPage = NotFoundPage;
