//! Puts the functions that a session runs beside each other in the program file.
//!
//! Of forty megabytes of code nine are ever run. Where they lie scattered, the kernel maps nearly all of it, since it maps
//! what lies around each page that is touched; where they lie together, it maps those nine. `build/order.txt` names them:
//! `cargo bench --bench order` writes it, docs/builds.md tells what it is worth. Names that a build does not know are
//! passed over, so an old list does no harm but loses what it was worth.

use std::env;
use std::path::Path;

fn main() {
    println!("cargo::rerun-if-changed=build/order.txt");
    println!("cargo::rerun-if-changed=build.rs");
    let var = |name: &str| env::var(name).unwrap_or_default();
    // The linker that Rust brings for this target knows the option; what somebody chose instead may not.
    let is_ours = var("RUSTC_LINKER").is_empty() && !var("CARGO_ENCODED_RUSTFLAGS").contains("link");
    if var("PROFILE") != "release" || var("TARGET") != "x86_64-unknown-linux-gnu" || !is_ours {
        return;
    }
    let order = Path::new(&var("CARGO_MANIFEST_DIR")).join("build/order.txt");
    for word in [&format!("--symbol-ordering-file={}", order.display()), "--no-warn-symbol-ordering"] {
        println!("cargo::rustc-link-arg-bins=-Xlinker");
        println!("cargo::rustc-link-arg-bins={word}");
    }
}
