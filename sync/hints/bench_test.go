package hints

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// BenchmarkHints opens so many streams and hints all of them at once. The ears
// are in a process of their own, so that bytes/conn is what the server holds:
// heap and stacks after a collection, without the kernel's buffers.
//
//	go test ./hints/ -run xxx -bench Hints -benchtime 20x
//
// ms/heard is from the news until the last phone has heard, on shared processors.
func BenchmarkHints(b *testing.B) {
	for _, n := range []int{100, 1000, 5000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) { benchmark(b, n) })
	}
}

func benchmark(b *testing.B, n int) {
	h := &Hub{Review: time.Hour} // there is no database
	h.init()
	ctx, stop := context.WithCancel(b.Context())
	var running sync.WaitGroup
	running.Go(func() { h.Run(ctx) })
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.URL.Query().Get("phone")
		l := &listener{phone: id, person: id, key: "k", circles: []string{"commune", "market", "village:v1", "household:" + id, "person:" + id}}
		w.Header().Set("Content-Type", "text/event-stream")
		_ = h.takeOver(w, l)
	}))
	defer func() { h.Close(); stop(); running.Wait(); server.Close() }()
	before := inUse()
	ears := exec.Command(os.Args[0], "-test.run", "TestEars$")
	ears.Env = append(os.Environ(), "EARS="+server.Listener.Addr().String(), "EARS_COUNT="+strconv.Itoa(n))
	out, err := ears.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	in, err := ears.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := ears.Start(); err != nil {
		b.Fatal(err)
	}
	defer func() { _ = in.Close(); _ = ears.Wait() }()
	said := bufio.NewScanner(out)
	for said.Scan() && !strings.HasPrefix(said.Text(), "open") {
	}
	if h.Count() != n {
		b.Skipf("%d of %d streams are open: raise the limit of open files", h.Count(), n)
	}
	held := float64(inUse()-before) / float64(n)
	var heard time.Duration
	b.ResetTimer()
	seq := int64(0)
	for b.Loop() {
		seq++
		begun := time.Now()
		h.Hurry("commune")
		h.News([]string{"commune"}, seq)
		if !said.Scan() { // all heard
			b.Fatal("the ears are gone")
		}
		heard += time.Since(begun)
	}
	b.ReportMetric(held, "bytes/conn")
	b.ReportMetric(float64(heard.Microseconds())/1000/float64(seq), "ms/heard")
}

func inUse() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}

// TestEars is the process of the benchmark that listens: it says when all are
// open, and each time all have heard.
func TestEars(t *testing.T) {
	addr := os.Getenv("EARS")
	if addr == "" {
		t.Skip("a part of BenchmarkHints")
	}
	n, _ := strconv.Atoi(os.Getenv("EARS_COUNT"))
	heard := make(chan struct{}, n)
	for i := range n {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(conn, "POST /?phone=p%d HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", i)
		in := bufio.NewReaderSize(conn, 512)
		for line := ""; line != ":\n"; {
			if line, err = in.ReadString('\n'); err != nil {
				t.Fatal(err)
			}
		}
		go func() {
			for {
				line, err := in.ReadString('\n')
				if err != nil {
					return
				}
				if strings.HasPrefix(line, "data: ") {
					heard <- struct{}{}
				}
			}
		}()
	}
	fmt.Println("open")
	go func() {
		for {
			for range n {
				<-heard
			}
			fmt.Println("heard")
		}
	}()
	_, _ = os.Stdin.Read(make([]byte, 1)) // until the benchmark ends
}
