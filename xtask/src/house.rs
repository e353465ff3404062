//! Where things are, and how a child process is started.

use std::{
    env,
    ffi::OsStr,
    path::PathBuf,
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, bail};

/// Target triple of everything that runs in a page.
pub(crate) const WASM: &str = "wasm32-unknown-unknown";

/// The folders of this checkout and of its caches.
#[derive(Debug)]
pub(crate) struct House {
    /// The workspace.
    pub(crate) root: PathBuf,
    /// What may be deleted at any time and costs only time: tools, downloads, build output.
    pub(crate) cache: PathBuf,
    /// Cargo's build output, outside the checkout so that several checkouts share it.
    pub(crate) target: PathBuf,
}

impl House {
    /// The checkout this xtask was started in: cargo says where. The place it was compiled in may be
    /// another checkout, which shares the target folder.
    pub(crate) fn find() -> Result<Self> {
        let manifest = env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = manifest.parent().context("xtask has no parent folder")?.to_path_buf();
        let home = env::home_dir().context("no home folder: set HOME")?;
        let cache = home.join(".cache/starling");
        let target =
            env::var_os("CARGO_TARGET_DIR").map_or_else(|| cache.join("target"), PathBuf::from);
        Ok(Self { root, cache, target })
    }

    /// The folder of the built page, embedded by the binary.
    pub(crate) fn web(&self) -> PathBuf {
        self.root.join("dist/web")
    }

    /// Tools that cargo installed for us.
    pub(crate) fn tools(&self) -> PathBuf {
        self.cache.join("tools")
    }

    /// npm packages of the build.
    pub(crate) fn npm(&self) -> PathBuf {
        self.cache.join("npm/tools")
    }

    /// The release binary.
    pub(crate) fn starling(&self) -> PathBuf {
        self.target.join("release/starling")
    }

    /// The binary that integration tests run, and browser tests with it: nothing is compiled for them anew.
    pub(crate) fn tested_starling(&self) -> PathBuf {
        self.target.join("debug/starling")
    }

    /// A child that finds our tools first and shares our build output. What cargo tells this program of itself is
    /// kept from it: build scripts of C code would take it for a change, and compile anew, with all that stands
    /// on them, where somebody calls cargo by hand in between.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(&self.root)
            .env("CARGO_TARGET_DIR", &self.target)
            .env("PATH", self.path());
        let ours = |name: &OsStr| {
            name.to_str().is_some_and(|name| {
                name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
            })
        };
        env::vars_os().map(|(name, _)| name).filter(|name| ours(name)).for_each(|name| {
            command.env_remove(name);
        });
        command
    }

    /// `cargo` with these arguments.
    pub(crate) fn cargo<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = self.command("cargo");
        command.args(args);
        command
    }

    fn path(&self) -> std::ffi::OsString {
        let own = [
            self.tools().join("bin"),
            self.cache.join("python/bin"),
            self.npm().join("node_modules/.bin"),
        ];
        let old = env::var_os("PATH").unwrap_or_default();
        // Each once: build scripts of C code look at PATH, and compile anew, with all that stands on them,
        // where somebody's has a folder twice.
        let mut folders: Vec<PathBuf> = Vec::new();
        for folder in own.into_iter().chain(env::split_paths(&old)) {
            if !folders.contains(&folder) {
                folders.push(folder);
            }
        }
        env::join_paths(folders).unwrap_or(old)
    }

    /// Whether a program can be started by this name.
    pub(crate) fn has(&self, program: &str) -> bool {
        env::split_paths(&self.path()).any(|folder| folder.join(program).is_file())
    }
}

/// Runs a child to its end, its output going to ours.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("could not start {}", shown(command)))?;
    if !status.success() {
        bail!("{} ended with {status}", shown(command));
    }
    Ok(())
}

/// Runs a child and returns what it printed on standard output.
pub(crate) fn read(command: &mut Command) -> Result<String> {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("could not start {}", shown(command)))?;
    if !output.status.success() {
        bail!("{} ended with {}", shown(command), output.status);
    }
    String::from_utf8(output.stdout).with_context(|| format!("{} printed no text", shown(command)))
}

/// Runs a child silently; whether it succeeded.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// A command as a person would type it.
pub(crate) fn shown(command: &Command) -> String {
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(OsStr::to_string_lossy)
        .collect::<Vec<_>>()
        .join(" ")
}
