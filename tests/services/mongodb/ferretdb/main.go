// SPDX-License-Identifier: MIT

// A MongoDB-protocol server for the tests: FerretDB on SQLite in memory, on a free port of loopback. It prints its URI
// when it is ready, and runs until it is told to end.
//
//	ferretdb [-tls CERTIFICATE KEY]
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/FerretDB/FerretDB/ferretdb"
)

func main() {
	config := ferretdb.Config{
		Handler:   "sqlite",
		SQLiteURL: "file:./?mode=memory",
		Listener:  ferretdb.ListenerConfig{TCP: "127.0.0.1:0"},
		Logger:    slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})),
	}
	if len(os.Args) == 4 && os.Args[1] == "-tls" {
		config.Listener = ferretdb.ListenerConfig{TLS: "127.0.0.1:0", TLSCertFile: os.Args[2], TLSKeyFile: os.Args[3]}
	}
	server, err := ferretdb.New(&config)
	if err != nil {
		fmt.Fprintln(os.Stderr, "ferretdb:", err)
		os.Exit(1)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	done := make(chan error)
	go func() { done <- server.Run(ctx) }()
	fmt.Println(server.MongoDBURI())
	if err := <-done; err != nil {
		fmt.Fprintln(os.Stderr, "ferretdb:", err)
		os.Exit(1)
	}
}
