//! A file that is written whole, or not at all.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::Failure;

/// A temporary file that takes the place of another one when it is complete.
pub(crate) struct OutFile {
    target: PathBuf,
    new: NamedTempFile,
}

impl OutFile {
    /// Fails, before any other work is done, if the file could not be written. `input` must not be it.
    pub(crate) fn new(target: &str, input: &str) -> Result<Self, Failure> {
        // The file itself, where a link leads to it.
        let (target, old) = match fs::canonicalize(target) {
            Ok(target) => {
                let old = fs::metadata(&target).map_err(|error| cannot_be_written(&error))?;
                (target, Some(old))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => (PathBuf::from(target), None),
            Err(error) => return Err(cannot_be_written(&error)),
        };
        if old.as_ref().is_some_and(|old| !old.is_file()) {
            let message = "--out is not a file (without --out the output goes to stdout)";
            return Err(Failure::Usage(message.to_owned()));
        }
        if fs::canonicalize(input).is_ok_and(|input| input == target) {
            let message = "--out is the file that is read: what stands in it would be lost";
            return Err(Failure::Usage(message.to_owned()));
        }
        let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty());
        let new = new_file(folder.unwrap_or(Path::new("."))).and_then(|new| {
            if let Some(old) = old {
                new.as_file().set_permissions(old.permissions())?;
            }
            Ok(new)
        });
        Ok(Self { target, new: new.map_err(|error| cannot_be_written(&error))? })
    }

    /// Writes the file.
    pub(crate) fn write(mut self, text: &str) -> Result<(), Failure> {
        let written =
            self.new.write_all(text.as_bytes()).and_then(|()| self.new.as_file().sync_all());
        written
            .and_then(|()| self.new.persist(&self.target).map(drop).map_err(|error| error.error))
            .map_err(|error| cannot_be_written(&error))
    }
}

fn new_file(folder: &Path) -> std::io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".out-");
    // As files are made elsewhere, and not for this user alone.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}

fn cannot_be_written(error: &std::io::Error) -> Failure {
    Failure::other(
        format!("the file of --out cannot be written: {error}"),
        "Give a path in a folder that this user may write to.",
    )
}
