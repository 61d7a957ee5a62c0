package visit

import "testing"

func TestLinksHaveTokens(t *testing.T) {
	path, secret, err := token("https://calls.example.org/s/123#abc", "/s/")
	if err != nil || path != "/s/123" || secret != "abc" {
		t.Errorf("%q %q %v", path, secret, err)
	}
	for _, link := range []string{"", "https://calls.example.org/s/123", "https://calls.example.org/join#abc", ":"} {
		if _, _, err := token(link, "/s/"); err == nil {
			t.Errorf("%q is a link into a session", link)
		}
	}
}
