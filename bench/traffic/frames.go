package main

import (
	"encoding/binary"
	"io"
)

// What load needs of HTTP/2 (RFC 9113). Neither side decodes header blocks: ../h2.py has written
// those that are sent, and both sides announce a dynamic table of size 0, so equal headers always
// arrive as equal bytes.
const (
	preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

	kindData     = 0
	kindHeaders  = 1
	kindReset    = 3
	kindSettings = 4
	kindPing     = 6
	kindGoAway   = 7
	kindWindow   = 8

	flagEndStream  = 1
	flagAck        = 1
	flagEndHeaders = 4

	headerTableSize   = 1
	initialWindowSize = 4

	maxWindow     = 1<<31 - 1
	defaultWindow = 65_535
	frameHead     = 9
	bufferBytes   = 256 << 10
)

type frame struct {
	kind, flags byte
	stream      uint32
	payload     []byte
}

func appendFrame(out []byte, kind, flags byte, stream uint32, payload []byte) []byte {
	size := len(payload)
	out = append(out, byte(size>>16), byte(size>>8), byte(size), kind, flags)
	out = binary.BigEndian.AppendUint32(out, stream)
	return append(out, payload...)
}

// appendSettings appends what either side says first: no dynamic table, and windows that never fill.
func appendSettings(out []byte) []byte {
	var values []byte
	values = binary.BigEndian.AppendUint16(values, headerTableSize)
	values = binary.BigEndian.AppendUint32(values, 0)
	values = binary.BigEndian.AppendUint16(values, initialWindowSize)
	values = binary.BigEndian.AppendUint32(values, maxWindow)
	out = appendFrame(out, kindSettings, 0, 0, values)
	more := binary.BigEndian.AppendUint32(nil, maxWindow-defaultWindow)
	return appendFrame(out, kindWindow, 0, 0, more)
}

// appendAnswer appends what a frame about the connection itself must be answered with.
func appendAnswer(out []byte, got frame) []byte {
	if got.flags&flagAck != 0 {
		return out
	}
	switch got.kind {
	case kindSettings:
		return appendFrame(out, kindSettings, flagAck, 0, nil)
	case kindPing:
		return appendFrame(out, kindPing, flagAck, 0, got.payload)
	}
	return out
}

// exchange reads a connection until it ends or answer returns false. What answer appends for all
// the frames of one read is written at once: a peer with much to say then wakes up less often.
func exchange(
	connection io.ReadWriter, greeting int, answer func(out []byte, got frame) ([]byte, bool),
) error {
	buffer, out := make([]byte, bufferBytes), make([]byte, 0, bufferBytes)
	kept := 0
	for {
		count, err := connection.Read(buffer[kept:])
		if err != nil {
			return err
		}
		have := buffer[:kept+count]
		skipped := min(greeting, len(have))
		greeting, have = greeting-skipped, have[skipped:]
		out = out[:0]
		goOn := true
		for goOn && len(have) >= frameHead {
			end := frameHead + int(have[0])<<16 + int(have[1])<<8 + int(have[2])
			if end > len(have) {
				break
			}
			stream := binary.BigEndian.Uint32(have[5:]) & maxWindow
			out, goOn = answer(out, frame{have[3], have[4], stream, have[frameHead:end]})
			have = have[end:]
		}
		kept = copy(buffer, have)
		if len(out) > 0 {
			if _, err := connection.Write(out); err != nil {
				return err
			}
		}
		if !goOn {
			return nil
		}
	}
}
