// The client in the package: none. `cargo xtask build --server` builds the server with a client.
None
