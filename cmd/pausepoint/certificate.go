package main

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"
)

// lookAgain is how often the files of a certificate are looked at for a renewed one.
const lookAgain = time.Minute

// openTLS is how this server proves its name; nil over plain HTTP. Certificates from an authority are kept in the cache, so that several
// servers have one, and a restart asks for none.
func (l listen) openTLS(cache autocert.Cache, log *slog.Logger) (*tls.Config, error) {
	switch {
	case len(l.ACMEDomain) > 0:
		m := &autocert.Manager{
			Prompt: autocert.AcceptTOS, HostPolicy: autocert.HostWhitelist(l.ACMEDomain...), Cache: cache, Email: l.ACMEEmail,
			Client: &acme.Client{DirectoryURL: l.ACMEDirectory, UserAgent: "pausepoint"},
		}
		conf := m.TLSConfig()
		conf.MinVersion = tls.VersionTLS12
		conf.GetCertificate = tellingOf(l.ACMEDomain, log, m.GetCertificate)
		return conf, nil
	case l.TLSCert != "":
		pair, err := readPair(l.TLSCert, l.TLSKey, log)
		if err != nil {
			return nil, err
		}
		return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: pair.get}, nil
	}
	return nil, nil
}

type getCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error)

// tellingOf logs why there is no certificate for one of the names. What strangers ask for under other names is nobody's concern.
func tellingOf(names []string, log *slog.Logger, get getCertificate) getCertificate {
	return func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		cert, err := get(hello)
		if err != nil && slices.Contains(names, hello.ServerName) {
			log.Error("no certificate from the authority: see that port 443 of this name reaches --addr",
				slog.String("name", hello.ServerName), slog.Any("err", err))
		}
		return cert, err
	}
}

// pairFiles is a certificate from files, read again when they have changed.
type pairFiles struct {
	cert, key string
	log       *slog.Logger

	mu     sync.Mutex
	pair   *tls.Certificate
	text   [2][]byte // of the files that pair was made of
	looked time.Time // at the files
}

func readPair(cert, key string, log *slog.Logger) (*pairFiles, error) {
	p := &pairFiles{cert: cert, key: key, log: log}
	if err := p.read(time.Now()); err != nil {
		return nil, fmt.Errorf("--tls-cert and --tls-key cannot be read: %w", err)
	}
	return p, nil
}

func (p *pairFiles) get(*tls.ClientHelloInfo) (*tls.Certificate, error) { return p.at(time.Now()), nil }

// at is the certificate as it is now. One that cannot be read leaves the former in use.
func (p *pairFiles) at(now time.Time) *tls.Certificate {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now.Sub(p.looked) >= lookAgain {
		if err := p.read(now); err != nil {
			p.log.Error("a renewed certificate cannot be read, the former is used", slog.Any("err", err))
		}
	}
	return p.pair
}

func (p *pairFiles) read(now time.Time) error {
	p.looked = now
	cert, certErr := os.ReadFile(p.cert)
	key, keyErr := os.ReadFile(p.key)
	if err := errors.Join(certErr, keyErr); err != nil {
		return err
	}
	if bytes.Equal(cert, p.text[0]) && bytes.Equal(key, p.text[1]) {
		return nil
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return err
	}
	p.pair, p.text = &pair, [2][]byte{cert, key}
	return nil
}
