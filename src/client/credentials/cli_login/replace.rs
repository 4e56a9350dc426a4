//! Replacing the file as a whole: a reader, or a kill, meets the old content or the new one.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown};
use std::path::{Path, PathBuf};

/// A new file beside the one that it replaces. It is made before the refresh token is spent, so that what
/// can fail does so while nothing is lost. The caller holds the lock.
pub(super) struct Replacement {
    /// The file itself, if the path is a symlink to it.
    target: PathBuf,
    new: PathBuf,
    file: File,
}

impl Replacement {
    pub(super) fn prepare(path: &Path) -> io::Result<Self> {
        let target = fs::canonicalize(path)?;
        let old = fs::metadata(&target)?;
        let mut name = target.file_name().map(OsString::from).unwrap_or_default();
        name.push(".new");
        let new = target.with_file_name(name);
        // What a killed process left.
        match fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
        let replacement = Self { target, new, file };
        let own = replacement.file.metadata()?;
        if (own.uid(), own.gid()) != (old.uid(), old.gid()) {
            fchown(&replacement.file, Some(old.uid()), Some(old.gid()))?;
        }
        replacement.file.set_permissions(Permissions::from_mode(old.mode() & 0o777))?;
        super::step("prepared");
        Ok(replacement)
    }

    /// Writes the content and puts it in the file's place. It does not wait for anything else in between, so
    /// that dropping a future cannot cut it off.
    pub(super) fn write(mut self, content: &[u8]) -> io::Result<()> {
        self.file.write_all(content)?;
        super::step("written");
        self.file.sync_all()?;
        super::step("synced");
        if fs::rename(&self.new, &self.target).is_err() {
            // A file that is mounted by itself cannot be replaced. The CLI writes in place, too.
            fs::write(&self.target, content)?;
            return File::open(&self.target)?.sync_all();
        }
        super::step("renamed");
        match self.target.parent() {
            Some(folder) => File::open(folder)?.sync_all(),
            None => Ok(()),
        }
    }
}

impl Drop for Replacement {
    fn drop(&mut self) {
        // It is gone if it has taken its place.
        let _ = fs::remove_file(&self.new);
    }
}
