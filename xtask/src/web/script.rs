//! Scripts as they are shipped: what is for their readers, comments and long names, stays at home.

use std::path::Path;

use anyhow::{Context as _, Result};

use crate::house::{self, House};

/// The module at `path` as esbuild makes it small. What browsers with data channels understand is
/// left as it is written.
pub(super) fn minified(house: &House, path: &Path) -> Result<Vec<u8>> {
    let mut esbuild = house.command("node");
    esbuild.arg(house.npm().join("node_modules/esbuild/bin/esbuild")).arg(path);
    esbuild.args(["--minify", "--format=esm", "--target=esnext", "--legal-comments=none"]);
    esbuild.args(["--log-level=warning", "--log-override:duplicate-object-key=silent"]);
    let script = house::read(&mut esbuild);
    Ok(script.with_context(|| format!("making {} small", path.display()))?.into_bytes())
}
