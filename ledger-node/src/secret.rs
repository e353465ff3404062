//! Secrets in files: one line of hexadecimal that only its owner may read.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::Path;

use data_encoding::HEXLOWER_PERMISSIVE;

/// Writes a new file; one that is there is never overwritten.
pub(crate) fn write(path: &Path, secret: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(format!("{}\n", HEXLOWER_PERMISSIVE.encode(secret)).as_bytes())?;
    file.sync_all()
}

/// The bytes of a file that [`write()`] made.
pub(crate) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let text = std::fs::read_to_string(path)?;
    let form = |_| io::Error::new(io::ErrorKind::InvalidData, "expected one line of hexadecimal");
    HEXLOWER_PERMISSIVE.decode(text.trim().as_bytes()).map_err(form)
}
