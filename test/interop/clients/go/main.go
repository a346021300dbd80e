// Programs around Apache's Go client. The first argument is the program (produce, consume, transact), every
// other one is written name=value. They talk as those of test/interop/java do: JSON lines out, "stop" in.
package main

import (
	"fmt"
	"os"

	"github.com/apache/rocketmq-client-go/v2/rlog"
)

func main() {
	rlog.SetLogLevel("error")
	programs := map[string]func(options) error{"produce": produce, "consume": consume, "transact": transact}
	run, known := programs[os.Args[1]]
	if !known {
		fail(fmt.Errorf("no program is called %q", os.Args[1]))
	}
	parsed, err := parseOptions(os.Args[2:])
	if err == nil {
		err = run(parsed)
	}
	if err != nil {
		fail(err)
	}
	emit("done", fields{})
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
