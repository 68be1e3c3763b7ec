# Recipes for common tasks; `just` lists them. Each calls what also works without just.

[private]
default:
    @just --list

# All tests
test *ARGS:
    cargo test {{ARGS}}

# What must be true of every commit
ci:
    .ci/run

# Format, lints and documentation, without tests
lint:
    cargo fmt --check
    cargo clippy --all-targets --locked -- -D warnings
    RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --locked --document-private-items

# Write snapshots, generated tables and pictures anew; read the difference before you commit it
bless:
    INSTA_UPDATE=always DOOMTOP_BLESS=1 cargo test --test suite

# Write the generated tables of the documents anew
docs:
    DOOMTOP_BLESS=1 cargo test --test suite readme

# Draw the pictures anew (PNG files need rsvg-convert)
pictures:
    DOOMTOP_BLESS=1 cargo test --test suite picture

# Fuzz everything that reads data from outside, 12 seconds per target: just fuzz --seconds 60 log
fuzz *ARGS:
    tests/fuzz/run {{ARGS}}

# The proof on kernels in emulated guests: just guest --short, just guest --kernels 6.1,newest
guest *ARGS:
    tests/guest/run {{ARGS}}

# Make the recording of the demo again
demo:
    tests/demo/run

# CPU time and memory beside top
bench *ARGS:
    cargo bench --bench cost {{ARGS}}

# The binary for packages, without paths of this machine: target/dist/doomtop
release *ARGS:
    .ci/dist {{ARGS}}

# Packages in target/packages: tarballs, .deb, .rpm
package *ARGS:
    .ci/package {{ARGS}}

# Licences, sources and advisories of the crates
deny:
    cargo deny --locked check
