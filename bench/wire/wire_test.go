package wire

import (
	"net"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMessagesComeBack(t *testing.T) {
	a, b := net.Pipe()
	from, to := NewConn(a), NewConn(b)
	defer func() { _ = to.Close() }()
	want := []Message{
		{Join: &Join{Room: "r", Member: "m", Publish: true, Plain: &Plain{Addr: "127.0.0.1:1", Key: []byte{1}, Salt: []byte{2}}}},
		{Signal: &Signal{Kind: "offer", PC: "publish", SDP: "v=0\r\n", Sources: map[string]string{"0": "audio"}}},
	}
	go func() {
		for _, m := range want {
			if from.Write(m) != nil {
				return
			}
		}
		_ = from.Close()
	}()
	for _, m := range want {
		got, err := to.Read()
		if diff := cmp.Diff(m, got); err != nil || diff != "" {
			t.Errorf("%v %s", err, diff)
		}
	}
	if _, err := to.Read(); err == nil {
		t.Error("the end is not noticed")
	}
}
