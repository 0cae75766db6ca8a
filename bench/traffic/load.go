package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"time"
)

// A closed loop of equal calls.
type loadPlan struct {
	Address     string
	Head        []byte // Header block of every call.
	Body        []byte // Empty for none.
	Requests    int
	Connections int
	Streams     int // Calls in flight on each connection.
}

// Answers that are equal in every part that is compared.
type counted struct {
	Count  int
	Blocks [][]byte // Header blocks: of the first only the status, as it holds times.
	Body   []byte
}

type loadResult struct {
	Seconds float64
	Answers []*counted
	Lost    int // Calls without an answer, because a stream or its connection was ended.
}

// load makes the calls and prints what came back; the caller knows which answers are right.
func load(input *json.Decoder) error {
	var plan loadPlan
	if err := input.Decode(&plan); err != nil {
		return err
	}
	begin := time.Now()
	share := plan.Requests / plan.Connections
	done := make(chan *client)
	for range plan.Connections {
		client := &client{plan: &plan, unsent: share, unanswered: share, next: 1}
		client.open, client.seen = map[uint32]*answer{}, map[string]*counted{}
		go func() {
			if err := client.run(); err != nil {
				fmt.Fprintln(os.Stderr, "load:", err)
			}
			done <- client
		}()
	}
	var result loadResult
	for range plan.Connections {
		client := <-done
		result.Lost += client.lost + client.unanswered
		for _, answers := range client.seen {
			result.Answers = append(result.Answers, answers)
		}
	}
	result.Seconds = time.Since(begin).Seconds()
	return json.NewEncoder(os.Stdout).Encode(result)
}

// A client is one connection that makes its share of the calls.
type client struct {
	plan                     *loadPlan
	unsent, unanswered, lost int
	next                     uint32
	open                     map[uint32]*answer
	spare                    []*answer
	seen                     map[string]*counted
	key                      []byte
}

// An answer as far as it has arrived.
type answer struct {
	blocks [][]byte
	body   []byte
}

// A change of the table's size (RFC 7541, 6.3), and `:status`, are one byte each.
const statusBytes = 2

func (client *client) run() error {
	connection, err := net.Dial("tcp", client.plan.Address)
	if err != nil {
		return err
	}
	defer connection.Close()
	first := appendSettings([]byte(preface))
	for range min(client.plan.Streams, client.unsent) {
		first = client.appendRequest(first)
	}
	if _, err := connection.Write(first); err != nil {
		return err
	}
	return exchange(connection, 0, client.take)
}

func (client *client) appendRequest(out []byte) []byte {
	stream := client.next
	client.next += 2
	client.unsent--
	if spares := len(client.spare); spares > 0 {
		client.open[stream], client.spare = client.spare[spares-1], client.spare[:spares-1]
	} else {
		client.open[stream] = &answer{}
	}
	if len(client.plan.Body) == 0 {
		return appendFrame(out, kindHeaders, flagEndHeaders|flagEndStream, stream, client.plan.Head)
	}
	out = appendFrame(out, kindHeaders, flagEndHeaders, stream, client.plan.Head)
	return appendFrame(out, kindData, flagEndStream, stream, client.plan.Body)
}

// take returns false when every call has its answer, or the peer goes away.
func (client *client) take(out []byte, got frame) ([]byte, bool) {
	if got.stream == 0 {
		return appendAnswer(out, got), got.kind != kindGoAway
	}
	found := client.open[got.stream]
	if found == nil {
		return out, true
	}
	switch got.kind {
	case kindHeaders:
		found.addBlock(got.payload)
	case kindData:
		found.body = append(found.body, got.payload...)
	case kindReset:
		client.lost++
	default:
		return out, true
	}
	if got.kind != kindReset {
		if got.flags&flagEndStream == 0 {
			return out, true
		}
		client.count(found)
	}
	delete(client.open, got.stream)
	found.blocks, found.body = found.blocks[:0], found.body[:0]
	client.spare = append(client.spare, found)
	client.unanswered--
	if client.unsent > 0 {
		out = client.appendRequest(out)
	}
	return out, client.unanswered > 0
}

func (found *answer) addBlock(payload []byte) {
	if len(found.blocks) == 0 {
		payload = payload[:min(statusBytes, len(payload))]
	}
	next := len(found.blocks)
	if next < cap(found.blocks) { // Reuses what an answer before left there.
		found.blocks = found.blocks[:next+1]
		found.blocks[next] = append(found.blocks[next][:0], payload...)
		return
	}
	found.blocks = append(found.blocks, append([]byte(nil), payload...))
}

func (client *client) count(found *answer) {
	client.key = client.key[:0]
	for _, part := range found.blocks {
		client.key = binary.AppendUvarint(client.key, uint64(len(part)))
		client.key = append(client.key, part...)
	}
	client.key = append(client.key, 0)
	client.key = append(client.key, found.body...)
	known := client.seen[string(client.key)]
	if known == nil {
		known = &counted{Body: bytes.Clone(found.body)}
		for _, part := range found.blocks {
			known.Blocks = append(known.Blocks, bytes.Clone(part))
		}
		client.seen[string(client.key)] = known
	}
	known.Count++
}
