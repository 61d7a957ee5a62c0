// Generated from package room/event by room/event/gen. Do not edit: change the Go types and run make generate.

/** PlaybackPlay starts playback; everybody starts together once all are ready. */
export type PlaybackPlay = Record<string, never>;

/** PlaybackStop stops playback on the frame due a moment from now, the same for everybody. */
export type PlaybackStop = Record<string, never>;

/** PlaybackSeek moves to a clip time; playing goes on from there if it was playing. */
export interface PlaybackSeek {
  /** µs */
  position: number;
}

/** PlaybackStep moves by frames and stops there. */
export interface PlaybackStep {
  /** negative is back; at most 100 either way */
  frames: number;
}

/** PlaybackRate changes the speed. */
export interface PlaybackRate {
  /** 0.25 to 2 */
  rate: number;
}

/** PlaybackReady tells that this member could play from the line's position. */
export interface PlaybackReady {
  seq: number;
}

/** ControlsGive hands the controls to a peer, or takes them back with an empty To. */
export interface ControlsGive {
  /** member */
  to: string;
}

/** PausePut adds or changes a prepared pause. A peer's is a proposal. */
export interface PausePut {
  id: string;
  frame: number;
  prompt: string;
  /** ms, at most 10 minutes */
  think: number;
  /** ms, at most 60 minutes */
  talk: number;
}

/** PauseRemove takes a prepared pause away. */
export interface PauseRemove {
  id: string;
}

/** PauseCall stops playback for everybody on the frame due a moment from now. */
export interface PauseCall {
  prompt?: string;
  /** ms */
  think?: number;
}

/** HoldConfirm tells which frame this member shows at the pause. */
export interface HoldConfirm {
  hold: string;
  frame: number;
  /** of the playback line */
  seq: number;
}

/** HoldAnswer keeps what the member wrote for themselves; an empty text takes it back. */
export interface HoldAnswer {
  hold: string;
  text: string;
}

/** HoldReveal shows all answers and ends think time. */
export interface HoldReveal {
  hold: string;
}

/** HoldContinue ends the pause; playback goes on for everybody. */
export interface HoldContinue {
  hold: string;
}

/** NoteAdd writes a note. Its clip time is what the room showed at session time At, unless OnClip gives a place. */
export interface NoteAdd {
  id: string;
  type: NoteType;
  visibility: Visibility;
  text: string;
  mark?: boolean;
  /** session time of the first key; 0 is now */
  at?: number;
  /** From and To are what the writer saw, or chose by hand */
  onClip?: boolean;
  /** µs */
  from?: number;
  /** µs */
  to?: number;
}

/** NoteEdit changes one's own note. */
export interface NoteEdit {
  id: string;
  type: NoteType;
  visibility: Visibility;
  text: string;
  onClip: boolean;
  from: number;
  to: number;
}

/** NoteRemove deletes one's own note with its replies. */
export interface NoteRemove {
  id: string;
}

/** NoteReply answers a note. */
export interface NoteReply {
  note: string;
  id: string;
  text: string;
}

/** ReplyRemove deletes one's own reply. */
export interface ReplyRemove {
  note: string;
  id: string;
}

/** DrawingAdd draws a finished stroke on the frame on which the clip stands. */
export interface DrawingAdd {
  id: string;
  /** µs: of the playback line that the writer saw */
  position: number;
  /** x and y in turn, each 0 to 1 of the picture; at most 512 points */
  points: number[];
}

/** DrawingRemove takes strokes away from the frame: one's own, or anybody's for whoever drives playback. */
export interface DrawingRemove {
  ids: string[];
}

/** MemberDevices tells which of one's devices are on. */
export interface MemberDevices {
  mic: boolean;
  camera: boolean;
  screen: boolean;
}

/** MemberHand raises or lowers one's hand. */
export interface MemberHand {
  up: boolean;
}

/** MemberWatch tells how one watches the clip. */
export interface MemberWatch {
  watching: Watching;
}

/** MemberType tells that one is writing; transient. */
export interface MemberType {
  /** "note", "answer" or "" */
  what: string;
}

/** MemberConsent answers whether one agrees to being recorded. Whoever agreed before takes it back with agree false: what was recorded of them is removed then. */
export interface MemberConsent {
  agree: boolean;
  /** with what is taken back: one's notes, replies, answers and drawings, too */
  removeNotes?: boolean;
}

/** MemberRole makes a peer of an observer, or an observer of a peer. */
export interface MemberRole {
  member: string;
  role: Role;
}

/** MemberRemove sends a member out; their invitation no longer lets them in. */
export interface MemberRemove {
  member: string;
}

/** MemberLeave leaves the session. */
export type MemberLeave = Record<string, never>;

/** RecordingStart starts the recording if everybody here has agreed, and else asks those who have not answered yet. Whoever took the conversation off the record may put it back, too. */
export type RecordingStart = Record<string, never>;

/** RecordingStop takes the conversation off the record, or takes the question back whether to record; anybody may. */
export type RecordingStop = Record<string, never>;

/** SessionEnd ends the session for everybody. */
export type SessionEnd = Record<string, never>;

/** Role is a member's role in a session. */
export type Role = "focal" | "coach" | "facilitator" | "peer" | "observer";

/** Kind is what sort of session this is. */
export type Kind = "kickoff" | "conversation" | "inquiry" | "live-lesson" | "reflection";

/** Session is what a session is about. */
export interface Session {
  id: string;
  kind: Kind;
  title: string;
  /** the focus question */
  focus: string;
  /** a sentence: for what, and for whom */
  purpose: string;
  /** Unix milliseconds at session time 0, for people's clocks only */
  opened: number;
  /** planned to be recorded, if all agree */
  recorded: boolean;
  /** session time at which it ended; 0 while it goes on */
  ended?: number;
  /** member */
  endedBy?: string;
}

/** Clip is the lesson clip of a session, as prepared. */
export interface Clip {
  id: string;
  title: string;
  focus: string;
  context: string;
  /** µs */
  duration: number;
  frames: number;
  /** frame rate = fpsNum/fpsDen, constant */
  fpsNum: number;
  fpsDen: number;
  /** chosen range [from, to), µs */
  from: number;
  to: number;
  width: number;
  height: number;
}

/** Presence is a member's way of being here. */
export type Presence = "here" | "away" | "left";

/** Consent is a member's answer to being recorded. The empty answer means not asked yet. */
export type Consent = "" | "agreed" | "declined" | "withdrawn";

/** Watching is how a member watches the clip. */
export type Watching = "" | "own" | "behind";

/** Member is a person in a session. */
export interface Member {
  id: string;
  name: string;
  role: Role;
  guest: boolean;
  presence: Presence;
  /** session time of the latest arrival */
  joined: number;
  consent: Consent;
  mic: boolean;
  camera: boolean;
  screen: boolean;
  /** session time at which the hand went up; 0 is down */
  hand?: number;
  watching?: Watching;
}

/** Mode is what the shared player does. */
export type Mode = "stopped" | "waiting" | "playing" | "holding";

/** Playback is the shared player's line. */
export interface Playback {
  mode: Mode;
  /** µs of clip time, at session time At */
  position: number;
  /** 0.25 to 2 */
  rate: number;
  /** session time; while waiting, the latest start */
  at: number;
  /** grows with each change of the line */
  seq: number;
  /** members that could play from Position (ids, sorted) */
  ready: string[];
  /** member who last drove */
  by: string;
}

/** Controls says who was handed the player besides those whose role drives it. */
export interface Controls {
  /** member; empty when nobody was */
  holder: string;
}

/** Pause is a prepared pivotal pause. */
export interface Pause {
  id: string;
  frame: number;
  prompt: string;
  /** private think time, ms; 0 is none */
  think: number;
  /** talking time meant, ms; 0 is open */
  talk: number;
  /** name of who prepared it */
  by: string;
  passed: boolean;
  /** a peer's proposal: does not stop playback until accepted */
  proposed?: boolean;
}

/** Phase is what people do at a pivotal pause. */
export type Phase = "thinking" | "talking";

/** Hold is a pivotal pause that is happening, or has happened. */
export interface Hold {
  id: string;
  /** the prepared pause; empty when spontaneous */
  pause?: string;
  frame: number;
  /** µs, middle of the frame */
  position: number;
  prompt: string;
  /** name of who prepared or called it */
  by: string;
  /** of the playback line that holds */
  seq: number;
  /** session time */
  began: number;
  think: number;
  talk: number;
  phase: Phase;
  /** session time at which the phase began */
  phaseSince: number;
  /** members on the frame (ids, sorted) */
  confirmed: string[];
  /** members who wrote an answer (ids, sorted) */
  answered: string[];
  /** the answers are shown to all */
  revealed: boolean;
  /** until revealed, only one's own is sent */
  answers: Answer[];
  ended?: number;
}

/** Answer is what a member wrote for themselves at a pause. */
export interface Answer {
  member: string;
  text: string;
  at: number;
}

/** NoteType is what sort of note it is. */
export type NoteType = "observation" | "wondering" | "learning" | "question" | "appreciation" | "next";

/** Visibility is who may read a note. */
export type Visibility = "shared" | "coaches" | "private";

/** Note is text anchored to a moment or a range of the clip, the session, or both. */
export interface Note {
  id: string;
  /** member */
  author: string;
  type: NoteType;
  visibility: Visibility;
  text: string;
  /** set by one key, without words yet */
  mark?: boolean;
  /** session time of the first key */
  at: number;
  /** From and To mean something */
  onClip: boolean;
  /** clip time of the first key, or begin of the range, µs */
  from: number;
  /** end of the range, µs; equal to From for a moment */
  to: number;
  /** session time at which it was added */
  written: number;
  edited?: number;
  replies: Reply[];
}

/** Reply is an answer to a note. */
export interface Reply {
  id: string;
  author: string;
  text: string;
  at: number;
}

/** Drawing is a stroke that somebody drew on a frame. */
export interface Drawing {
  id: string;
  /** member */
  author: string;
  /** µs, middle of the frame */
  position: number;
  /** x and y in turn, each 0 to 1 of the picture, in ten-thousandths */
  points: number[];
}

/** RecordingState says whether the conversation is being recorded. */
export type RecordingState = "off" | "asking" | "on" | "off-the-record";

/** Recording is the state of the recording, visible to everybody. */
export interface Recording {
  state: RecordingState;
  /** session time of the latest change */
  since: number;
  /** member */
  by: string;
  /** a sentence: why it stopped, or what is wrong while it is on */
  reason?: string;
  /** session time from which on something is missing, if Reason says that while it is on */
  missingFrom?: number;
  /** until when; 0 as long as that lasts */
  missingTo?: number;
}

/** ErasedFile is one recorded file that was removed: what it was, and the SHA-256 of what was in it. */
export interface ErasedFile {
  id: string;
  /** audio, camera, screen or screen-audio */
  source: string;
  /** session time */
  start: number;
  end: number;
  bytes: number;
  /** lower-case hexadecimal; empty if the file was cut off before it was finished */
  sha256: string;
}

/** Speech is one stretch of a member's talk. */
export interface Speech {
  member: string;
  /** session time */
  from: number;
  to: number;
}

/** View is the whole state of a session as one member may see it. */
export interface View {
  session: Session;
  /** null in a session without one */
  clip: Clip | null;
  members: Member[];
  playback: Playback;
  controls: Controls;
  /** by frame */
  pauses: Pause[];
  /** null when none is happening */
  hold: Hold | null;
  /** by At */
  notes: Note[];
  /** on the frame on which the clip stands, as they came */
  drawings: Drawing[];
  recording: Recording;
  keeping: Keeping;
  reuse: Reuse;
}

/** ReuseState says how far the question is whether the recording may become a clip. */
export type ReuseState = "" | "asked" | "granted" | "declined" | "taken-back";

/** Reuse is the question whether the recording may become a clip of its own, which a member asks everybody who is in it. */
export interface Reuse {
  state: ReuseState;
  /** id that the clip is to have */
  clip: string;
  /** member who asks, and whose clip it is to be */
  by: string;
  /** members who are asked, sorted */
  of: string[];
  /** those of them who have agreed, sorted */
  agreed: string[];
}

/** Keeping says for how long a session is kept once it is over, and whether a legal hold keeps it beyond that. */
export interface Keeping {
  /** after the last moment of the session; 0 is for ever */
  days: number;
  /** Unix ms since when nothing of the session is deleted, by nobody; 0 without a legal hold */
  held: number;
  /** of the legal hold */
  reason: string;
}

/** Action is something that a role may or may not do. The server decides; a client hides what would be refused. */
export type Action = "publish" | "drive" | "hand-over" | "prepare" | "propose" | "call-pause" | "continue" | "write-shared" | "write-coaches" | "write-private" | "draw" | "record" | "off-the-record" | "raise-hand" | "change-role" | "remove" | "end" | "export-all" | "export-shared" | "export-own";

/** SessionOpened is the first event of every journal: what was planned. */
export interface SessionOpened {
  session: Session;
  clip: Clip | null;
  pauses: Pause[];
  /** written alone beforehand */
  notes: Note[];
  keeping: Keeping;
}

/** SessionEnded ends the journal's live part. */
export interface SessionEnded {
  session: Session;
}

/** MemberJoined tells that a member came in, or came back. */
export interface MemberJoined {
  member: Member;
}

/** MemberChanged tells of devices, hand, role, consent or how they watch. */
export interface MemberChanged {
  member: Member;
}

/** MemberWithdrew tells that a member took back their consent to being recorded, during the session or afterwards. What was recorded of them is removed, see RecordingErased; with notes, their notes, replies, answers and drawings go at once. */
export interface MemberWithdrew {
  member: Member;
  notes: boolean;
  /** Unix ms */
  when: number;
}

/** MemberLost tells that a member's connection is gone; they may come back. */
export interface MemberLost {
  member: Member;
}

/** MemberLeft tells that a member left, or did not come back. */
export interface MemberLeft {
  member: Member;
}

/** MemberRemoved tells that a member was sent out. */
export interface MemberRemoved {
  member: Member;
}

/** MemberSpoke is one stretch of talk that has ended. */
export interface MemberSpoke {
  speech: Speech;
}

/** PlaybackChanged is the player's new line. */
export interface PlaybackChanged {
  playback: Playback;
}

/** PlaybackReadied tells that a member could play from the line's position. */
export interface PlaybackReadied {
  seq: number;
  member: string;
}

/** ControlsChanged tells who was handed the player. */
export interface ControlsChanged {
  controls: Controls;
}

/** PauseSet is a prepared pause, new or changed. */
export interface PauseSet {
  pause: Pause;
}

/** PauseRemoved takes a prepared pause away. */
export interface PauseRemoved {
  id: string;
}

/** HoldBegan begins a pivotal pause; playback is the line that holds. It marks the prepared pause as passed. */
export interface HoldBegan {
  hold: Hold;
  playback: Playback;
}

/** HoldConfirmed tells that a member is on the frame. */
export interface HoldConfirmed {
  hold: string;
  member: string;
  frame: number;
}

/** HoldAnswered keeps an answer. Before the reveal, others get it with an empty answer text. */
export interface HoldAnswered {
  hold: string;
  answer: Answer;
}

/** HoldPhaseChanged moves from thinking to talking. */
export interface HoldPhaseChanged {
  hold: string;
  phase: Phase;
  since: number;
}

/** HoldRevealed shows all answers. */
export interface HoldRevealed {
  hold: string;
  answers: Answer[];
}

/** HoldEnded ends a pivotal pause, and tells how long it was. */
export interface HoldEnded {
  hold: string;
  /** ms of think time */
  thought?: number;
  /** ms of discussion */
  talked?: number;
}

/** NoteAdded is a new note. */
export interface NoteAdded {
  note: Note;
}

/** NoteEdited is a changed note, with its replies. A member who may not read it any more gets NoteRemoved. */
export interface NoteEdited {
  note: Note;
}

/** NoteRemoved takes a note away. */
export interface NoteRemoved {
  id: string;
}

/** NoteReplied is a new reply. */
export interface NoteReplied {
  note: string;
  reply: Reply;
}

/** ReplyRemoved takes a reply away. */
export interface ReplyRemoved {
  note: string;
  id: string;
}

/** DrawingAdded is a new stroke on the frame on which the clip stands. */
export interface DrawingAdded {
  drawing: Drawing;
}

/** DrawingRemoved takes strokes away from the frame. */
export interface DrawingRemoved {
  ids: string[];
}

/** RecordingErased is the proof that what was recorded of a member until they took back their consent is gone: every file that there was, each removed for good by then, and the films that were made of such files, each removed and made again without them. */
export interface RecordingErased {
  member: string;
  /** session time before which what was recorded began */
  until: number;
  files: ErasedFile[];
  films?: number;
  /** made of the recording by ReuseChanged, and removed */
  clips?: number;
  /** Unix ms */
  when: number;
}

/** ReuseChanged tells, after the session, whether the recording may become a clip of its own: somebody asked, answered, or took that back. Who does not agree is not named. */
export interface ReuseChanged {
  reuse: Reuse;
  /** Unix ms */
  when: number;
}

/** KeepingChanged tells that a session is kept for longer or shorter, or that a legal hold began or ended. */
export interface KeepingChanged {
  keeping: Keeping;
  /** Unix ms */
  when: number;
}

/** MeasuresSeen tells that a member has looked at the measures of their own part in the conversation: from then on others see them, too. */
export interface MeasuresSeen {
  member: string;
  /** Unix ms */
  when: number;
}

/** RecordingChanged tells whether the conversation is being recorded, and what is wrong with that. */
export interface RecordingChanged {
  recording: Recording;
}

/** MemberTyping is transient: a member is writing. */
export interface MemberTyping {
  member: string;
  /** "note", "answer" or "" */
  what: string;
}

/** MemberSpeaking is transient: who is speaking now. */
export interface MemberSpeaking {
  /** ids, sorted */
  members: string[];
}

/** MemberQuality is transient: how a member's connection is. */
export interface MemberQuality {
  member: string;
  /** "good", "poor" or "lost" */
  quality: string;
  late?: number;
}

/** YouChanged is transient and for one member: what they may do now. */
export interface YouChanged {
  may: Action[];
}

/** Hello is the client's first frame. */
export interface Hello {
  /** agreed or declined; empty when the session is not to be recorded */
  consent: Consent;
  mic: boolean;
  camera: boolean;
  page?: string;
  attempt?: number;
}

/** Ping measures the clock and keeps the connection. */
export interface Ping {
  /** the client's clock, ms */
  t0: number;
  /** a long round trip of late, ms */
  rtt?: number;
}

/** Welcome answers Hello: the whole state. */
export interface Welcome {
  /** member */
  you: string;
  may: Action[];
  /** of the last event in View */
  seq: number;
  /** session time, ms */
  now: number;
  view: View;
}

/** Pong answers Ping. */
export interface Pong {
  t0: number;
  /** session time at receipt, ms */
  t1: number;
  /** session time at sending, ms */
  t2: number;
}

/** Answered answers the command that the frame's id names. Without an error, what it did is durable. */
export interface Answered {
  error?: Problem;
}

/** Bye is the server's last frame before it closes. */
export interface Bye {
  /** replaced, removed, signed_out, ended, left, restarting, unavailable, too_fast, too_slow, full, invalid */
  reason: string;
  message: string;
}

/** PC names one of a member's two PeerConnections. */
export type PC = "publish" | "subscribe";

/** RTCTrack tells whose media an m-line of a subscribe offer carries. */
export interface RTCTrack {
  member: string;
  source: string;
  publication: string;
}

/** RTCOffer is a session description offer, in either direction. Whoever offers counts its offers on that connection, and on those that follow it, from 1. */
export interface RTCOffer {
  pc: PC;
  offer: number;
  sdp: string;
  /** publish: mid to source */
  sources?: Record<string, string>;
  /** subscribe: mid to track */
  tracks?: Record<string, RTCTrack>;
}

/** RTCAnswer answers the RTCOffer of that number. */
export interface RTCAnswer {
  pc: PC;
  offer: number;
  sdp: string;
}

/** RTCCandidate is one trickled ICE candidate; an empty candidate ends them. */
export interface RTCCandidate {
  pc: PC;
  candidate: string;
  sdpMid: string;
  sdpMLineIndex: number;
}

/** RTCRestart asks for a new try of a connection that failed. */
export interface RTCRestart {
  pc: PC;
}

/** RTCViews says which publications the member's page shows, and how large. It names all of them each time. */
export interface RTCViews {
  /** by publication; nothing is known of one that is left out */
  views: Record<string, RTCPlace>;
}

/** RTCPlace is the place that a picture has on the member's screen, in the screen's pixels. 0 by 0 is not shown. */
export interface RTCPlace {
  width: number;
  height: number;
}

/** RTCWanted says how tall the tallest place is in which anybody shows a picture of the member's, in pixels: 0 if nobody does, 16384 where the best is wanted. */
export interface RTCWanted {
  /** camera or screen */
  source: string;
  height: number;
}

/** RTCRelays names TURN servers, for whose network keeps media out. */
export interface RTCRelays {
  servers: RTCRelay[];
}

/** RTCRelay is an RTCIceServer: TURN servers that take the same credentials. */
export interface RTCRelay {
  /** RFC 7065 */
  urls: string[];
  username: string;
  credential: string;
}

/** Problem is what went wrong: a code for programs, a sentence for people, and a cause for the log. */
export interface Problem {
  /** forbidden, unauthorized, invalid, not_found, conflict, too_large, too_many, full, ended, unavailable, internal */
  code: string;
  /** a sentence that says what to do */
  message: string;
}

/** What a member asks of a room. */
export type Command =
  | { type: "playback.play"; data: PlaybackPlay }
  | { type: "playback.stop"; data: PlaybackStop }
  | { type: "playback.seek"; data: PlaybackSeek }
  | { type: "playback.step"; data: PlaybackStep }
  | { type: "playback.rate"; data: PlaybackRate }
  | { type: "playback.ready"; data: PlaybackReady }
  | { type: "controls.give"; data: ControlsGive }
  | { type: "pause.put"; data: PausePut }
  | { type: "pause.remove"; data: PauseRemove }
  | { type: "pause.call"; data: PauseCall }
  | { type: "hold.confirm"; data: HoldConfirm }
  | { type: "hold.answer"; data: HoldAnswer }
  | { type: "hold.reveal"; data: HoldReveal }
  | { type: "hold.continue"; data: HoldContinue }
  | { type: "note.add"; data: NoteAdd }
  | { type: "note.edit"; data: NoteEdit }
  | { type: "note.remove"; data: NoteRemove }
  | { type: "note.reply"; data: NoteReply }
  | { type: "reply.remove"; data: ReplyRemove }
  | { type: "drawing.add"; data: DrawingAdd }
  | { type: "drawing.remove"; data: DrawingRemove }
  | { type: "member.devices"; data: MemberDevices }
  | { type: "member.hand"; data: MemberHand }
  | { type: "member.watch"; data: MemberWatch }
  | { type: "member.type"; data: MemberType }
  | { type: "member.consent"; data: MemberConsent }
  | { type: "member.role"; data: MemberRole }
  | { type: "member.remove"; data: MemberRemove }
  | { type: "member.leave"; data: MemberLeave }
  | { type: "recording.start"; data: RecordingStart }
  | { type: "recording.stop"; data: RecordingStop }
  | { type: "session.end"; data: SessionEnd };

/** What happened, without its envelope. */
export type EventBody =
  | { type: "session.opened"; data: SessionOpened }
  | { type: "session.ended"; data: SessionEnded }
  | { type: "member.joined"; data: MemberJoined }
  | { type: "member.changed"; data: MemberChanged }
  | { type: "member.lost"; data: MemberLost }
  | { type: "member.left"; data: MemberLeft }
  | { type: "member.removed"; data: MemberRemoved }
  | { type: "member.spoke"; data: MemberSpoke }
  | { type: "playback.changed"; data: PlaybackChanged }
  | { type: "playback.readied"; data: PlaybackReadied }
  | { type: "controls.changed"; data: ControlsChanged }
  | { type: "pause.set"; data: PauseSet }
  | { type: "pause.removed"; data: PauseRemoved }
  | { type: "hold.began"; data: HoldBegan }
  | { type: "hold.confirmed"; data: HoldConfirmed }
  | { type: "hold.answered"; data: HoldAnswered }
  | { type: "hold.phase"; data: HoldPhaseChanged }
  | { type: "hold.revealed"; data: HoldRevealed }
  | { type: "hold.ended"; data: HoldEnded }
  | { type: "note.added"; data: NoteAdded }
  | { type: "note.edited"; data: NoteEdited }
  | { type: "note.removed"; data: NoteRemoved }
  | { type: "note.replied"; data: NoteReplied }
  | { type: "reply.removed"; data: ReplyRemoved }
  | { type: "drawing.added"; data: DrawingAdded }
  | { type: "drawing.removed"; data: DrawingRemoved }
  | { type: "recording.changed"; data: RecordingChanged }
  | { type: "keeping.changed"; data: KeepingChanged }
  | { type: "measures.seen"; data: MeasuresSeen }
  | { type: "recording.erased"; data: RecordingErased }
  | { type: "reuse.changed"; data: ReuseChanged }
  | { type: "member.withdrew"; data: MemberWithdrew }
  | { type: "member.typing"; data: MemberTyping }
  | { type: "member.speaking"; data: MemberSpeaking }
  | { type: "member.quality"; data: MemberQuality }
  | { type: "you.changed"; data: YouChanged };

/** What happened. seq is 0 or absent for transient events. */
export type Event = { seq?: number; at: number; by?: string; cmd?: string } & EventBody;

/** Anything else that a connection carries. */
export type Frame =
  | { type: "hello"; data: Hello }
  | { type: "ping"; data: Ping }
  | { type: "welcome"; data: Welcome }
  | { type: "pong"; data: Pong }
  | { type: "reply"; data: Answered }
  | { type: "bye"; data: Bye }
  | { type: "rtc.offer"; data: RTCOffer }
  | { type: "rtc.answer"; data: RTCAnswer }
  | { type: "rtc.candidate"; data: RTCCandidate }
  | { type: "rtc.restart"; data: RTCRestart }
  | { type: "rtc.views"; data: RTCViews }
  | { type: "rtc.wanted"; data: RTCWanted }
  | { type: "rtc.relays"; data: RTCRelays };
