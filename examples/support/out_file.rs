//! A file that is written whole, or not at all.

use std::fs;
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::Failure;

/// A file that is first written next to its place, and keeps its content until the new text is
/// complete.
pub(crate) struct OutFile {
    target: PathBuf,
    old: Option<fs::Metadata>,
}

impl OutFile {
    /// Fails, before any other work is done, if the file could not be written. `input` must not be it.
    pub(crate) fn new(target: &str, input: &str) -> Result<Self, Failure> {
        // The file itself, if a link leads to it.
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
            let message = "--out is the input file: its content would be lost";
            return Err(Failure::Usage(message.to_owned()));
        }
        let file = Self { target, old };
        // Not kept, because a program that is interrupted leaves it behind.
        file.beside().map_err(|error| cannot_be_written(&error))?;
        Ok(file)
    }

    /// Writes the file.
    pub(crate) fn write(self, text: &str) -> Result<(), Failure> {
        let write = || {
            let mut new = self.beside()?;
            new.write_all(text.as_bytes())?;
            if let Some(old) = &self.old {
                new.as_file().set_permissions(old.permissions())?;
            }
            new.as_file().sync_all()?;
            new.persist(&self.target)?;
            Ok(())
        };
        write().map_err(|error| cannot_be_written(&error))
    }

    /// A temporary file in the same folder, with the permissions that other programs' new files
    /// get.
    fn beside(&self) -> io::Result<NamedTempFile> {
        let mut builder = tempfile::Builder::new();
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let folder = self.target.parent().filter(|folder| !folder.as_os_str().is_empty());
        builder.tempfile_in(folder.unwrap_or(Path::new(".")))
    }
}

fn cannot_be_written(error: &io::Error) -> Failure {
    Failure::other(
        format!("the file of --out cannot be written: {error}"),
        "Give a path in a folder that this user may write to.",
    )
}
