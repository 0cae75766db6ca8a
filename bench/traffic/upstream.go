package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
)

// An upstream answers every gRPC call with the same message, and health checks with theirs.
type upstreamPlan struct {
	Host     string
	Head     []byte // Header block of every answer.
	Trailers []byte
	Body     []byte // Messages, each with gRPC's five bytes in front.
	Empty    []byte // Only a health check has this in its request.
	Serving  []byte
}

// upstream prints the port it listens on, and serves until its standard input ends.
func upstream(input *json.Decoder) error {
	var plan upstreamPlan
	if err := input.Decode(&plan); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(plan.Host, "0"))
	if err != nil {
		return err
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go plan.serve(connection)
		}
	}()
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

func (plan *upstreamPlan) serve(connection net.Conn) {
	defer connection.Close()
	if _, err := connection.Write(appendSettings(nil)); err != nil {
		return
	}
	_ = exchange(connection, len(preface), plan.answer) // The peer may close when it likes.
}

func (plan *upstreamPlan) answer(out []byte, got frame) ([]byte, bool) {
	if got.stream == 0 {
		return appendAnswer(out, got), true
	}
	if got.kind != kindData || got.flags&flagEndStream == 0 {
		return out, true
	}
	body := plan.Body
	if bytes.Equal(got.payload, plan.Empty) {
		body = plan.Serving
	}
	out = appendFrame(out, kindHeaders, flagEndHeaders, got.stream, plan.Head)
	out = appendFrame(out, kindData, 0, got.stream, body)
	return appendFrame(out, kindHeaders, flagEndHeaders|flagEndStream, got.stream, plan.Trailers), true
}
