//! Makes sure the folder of the built page exists, so that the binary also builds without it, and
//! embeds it again when it changed.

use std::path::Path;

fn main() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../dist/web");
    if let Err(error) = std::fs::create_dir_all(&folder) {
        println!("cargo::error=cannot make {}: {error}", folder.display());
    }
    println!("cargo::rerun-if-changed={}", folder.display());
}
