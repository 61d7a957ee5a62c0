// Command impair passes UDP packets to a server, and makes the network between worse: delay, jitter, reordering, loss, bursts of
// loss, a slow link with a queue.
//
//	impair -target 127.0.0.1:7882
//
// It prints {"port":N}, where clients connect instead, and reads conditions from its standard input, one JSON object a line:
//
//	{"up":{"loss":0.05},"down":{"delay":60,"jitter":10,"rate":300}}
//
// where up is towards the server, and what is left out of up or down is perfect. It answers each line with the packets counted until
// then. It ends with its input.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
)

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "impair:", err)
		os.Exit(1)
	}
}

// order is a line of the input.
type order struct {
	Up   *Conditions `json:"up"`
	Down *Conditions `json:"down"`
}

type answer struct {
	Up   Counts `json:"up"`
	Down Counts `json:"down"`
}

func run(args []string, in io.Reader, out io.Writer) error {
	flags := flag.NewFlagSet("impair", flag.ContinueOnError)
	target := flags.String("target", "", "the server, host:port")
	listen := flags.String("listen", "127.0.0.1:0", "where clients connect, host:port")
	if err := flags.Parse(args); err != nil {
		return err
	}
	p, err := newProxy(*listen, *target)
	if err != nil {
		return err
	}
	addr, ok := p.near.LocalAddr().(*net.UDPAddr)
	if !ok {
		return fmt.Errorf("listening on %v, which is no UDP address", p.near.LocalAddr())
	}
	answers := json.NewEncoder(out)
	if err = answers.Encode(map[string]int{"port": addr.Port}); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- p.run() }()
	err = p.obey(in, answers)
	if closed := p.near.Close(); err == nil {
		err = closed
	}
	if stopped := <-ended; err == nil {
		err = stopped
	}
	return err
}

// obey changes the conditions, line by line.
func (p *proxy) obey(in io.Reader, answers *json.Encoder) error {
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		var o order
		if err := json.Unmarshal(lines.Bytes(), &o); err != nil {
			return fmt.Errorf("conditions %q: %w", lines.Text(), err)
		}
		p.change(o.Up, o.Down)
		up, down := p.counts()
		if err := answers.Encode(answer{up, down}); err != nil {
			return err
		}
	}
	return lines.Err()
}
