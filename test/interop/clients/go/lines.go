package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/apache/rocketmq-client-go/v2/primitive"
)

type options map[string]string

type fields map[string]any

func parseOptions(words []string) (options, error) {
	parsed := options{}
	for _, word := range words {
		name, value, found := strings.Cut(word, "=")
		if !found {
			return nil, fmt.Errorf("not name=value: %s", word)
		}
		parsed[name] = value
	}
	return parsed, nil
}

func (o options) number(name string, otherwise int) int {
	number, err := strconv.Atoi(o[name])
	if err != nil {
		return otherwise
	}
	return number
}

func (o options) is(name string) bool { return o[name] == "true" }

func (o options) nameServers() primitive.NamesrvAddr { return primitive.NamesrvAddr{o["nameServer"]} }

var printing sync.Mutex

// emit prints one event. Its name goes first: tests know an event's line by it.
func emit(event string, values fields) {
	rest, err := json.Marshal(values)
	if err != nil {
		fail(err)
	}
	line := fmt.Sprintf("{%q:%q", "event", event)
	if len(values) > 0 {
		line += ","
	}
	printing.Lock()
	defer printing.Unlock()
	fmt.Println(line + string(rest[1:]))
}

// untilStopped returns at the line "stop", or at the end of standard input.
func untilStopped() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() && lines.Text() != "stop" {
	}
}

func crc(body []byte) uint32 { return crc32.ChecksumIEEE(body) }

func now() int64 { return time.Now().UnixMilli() }

func textOrNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}
