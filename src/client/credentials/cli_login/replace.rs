//! Replaces the file as a whole: a reader finds the old content or the new one, even after a kill.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{
    FileExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown,
};
use std::path::{Path, PathBuf};

use crate::wipe::Zeroizing;

/// How much longer than the old content the new one may become.
const SPARE: usize = 4096;

/// A new file beside the one that it replaces. It is created before the refresh token is spent, so
/// that a failure loses nothing. The caller holds the lock.
pub(super) struct Replacement {
    /// The file itself, if the path is a symlink to it.
    target: PathBuf,
    new: PathBuf,
    file: File,
    is_kept: bool,
}

/// Why the file does not have the new content.
#[derive(Debug)]
pub(super) struct Unwritten {
    pub(super) error: io::Error,
    /// The new file, if it has the content. It stays until the next refresh.
    pub(super) kept: Option<PathBuf>,
}

impl Replacement {
    pub(super) fn prepare(path: &Path) -> io::Result<Self> {
        let target = fs::canonicalize(path)?;
        let old = fs::metadata(&target)?;
        let mut name = target.file_name().map(OsString::from).unwrap_or_default();
        name.push(".new");
        let new = target.with_file_name(name);
        // Left behind by a killed process.
        match fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
        let replacement = Self { target, new, file, is_kept: false };
        let own = replacement.file.metadata()?;
        if (own.uid(), own.gid()) != (old.uid(), old.gid()) {
            fchown(&replacement.file, Some(old.uid()), Some(old.gid()))?;
        }
        replacement.file.set_permissions(Permissions::from_mode(old.mode() & 0o777))?;
        // A full disk fails here.
        let old_length = usize::try_from(old.len()).unwrap_or_default();
        replacement.file.write_all_at(&vec![b' '; old_length + SPARE], 0)?;
        replacement.file.sync_all()?;
        super::step("prepared");
        Ok(replacement)
    }

    /// Writes the content and puts it in the file's place. It never awaits, so dropping a future
    /// cannot interrupt it.
    pub(super) fn write(mut self, content: &[u8]) -> Result<(), Unwritten> {
        let is_filled = fill(&self.file, content).is_ok();
        super::step("synced");
        let written = if is_filled && fs::rename(&self.new, &self.target).is_ok() {
            super::step("renamed");
            self.target.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
        } else {
            // A file that is itself a mount cannot be replaced. The CLI writes in place, too.
            let file = OpenOptions::new().write(true).open(&self.target);
            let written = file.and_then(|file| fill(&file, content));
            self.is_kept = is_filled && written.is_err();
            written
        };
        let kept = self.is_kept.then(|| self.new.clone());
        written.map_err(|error| Unwritten { error, kept })
    }
}

/// Makes this the whole content of the file. It is not truncated first: that would free its disk
/// space, and a kill would leave it empty.
fn fill(file: &File, content: &[u8]) -> io::Result<()> {
    // Blanks cover the rest of the old content until it is cut off, so the file is whole at each
    // moment.
    let old_length = usize::try_from(file.metadata()?.len()).unwrap_or_default();
    let length = old_length.max(content.len());
    let mut padded = Zeroizing::new(Vec::with_capacity(length));
    padded.extend_from_slice(content);
    padded.resize(length, b' ');
    file.write_all_at(&padded, 0)?;
    super::step("written");
    file.set_len(content.len() as u64)?;
    file.sync_all()
}

impl Drop for Replacement {
    fn drop(&mut self) {
        if !self.is_kept {
            // It no longer exists if it was renamed.
            let _ = fs::remove_file(&self.new);
        }
    }
}
