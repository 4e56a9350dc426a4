//! A key in a file that another process replaces.

use std::fs::{File, Metadata};
use std::io::{self, Read as _};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use futures_util::future::BoxFuture;

use crate::error::BoxError;
use crate::redact::Escaped;
use crate::secret_value::SecretValue;
use crate::transport::{Credentials, Token};
use crate::wipe::Zeroizing;

/// How long a key is used before the file is checked again.
const RECHECK: Duration = Duration::from_secs(30);
/// Longer than any key.
const MAX_LENGTH: usize = 16 * 1024;

/// An API key in a file, such as one that Kubernetes mounts and replaces.
///
/// The file is read before the first request, checked every 30 s while requests are made, and read
/// again if it was replaced or if the server rejected the key. Whitespace around the key is
/// trimmed. While the file is empty or cannot be read, the key in use is kept, and a tracing event
/// warns.
///
/// ```
/// # fn f() -> truefoundry_secrets::Result<()> {
/// use truefoundry_secrets::{Client, KeyFile};
///
/// let client = Client::builder()
///     .base_url("https://my-org.truefoundry.cloud")
///     .credentials(KeyFile::new("/var/run/secrets/truefoundry/api-key"))
///     .build()?;
/// # Ok(())
/// # }
/// # f().unwrap();
/// ```
#[derive(Debug)]
pub struct KeyFile(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    path: PathBuf,
    last: Mutex<Option<(Version, Token)>>,
}

impl KeyFile {
    /// The file at this path. It is not read before the client needs the key.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(Arc::new(Shared { path: path.into(), last: Mutex::default() }))
    }
}

impl Credentials for KeyFile {
    fn token<'a>(
        &'a self,
        rejected: Option<&'a SecretValue>,
    ) -> BoxFuture<'a, Result<Token, BoxError>> {
        let (shared, is_refused) = (Arc::clone(&self.0), rejected.is_some());
        let read = tokio::task::spawn_blocking(move || shared.read(is_refused));
        Box::pin(async move { read.await? })
    }
}

impl Shared {
    fn read(&self, is_refused: bool) -> Result<Token, BoxError> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if !is_refused && let Some((version, token)) = &*last {
            let metadata = self.path.metadata();
            if metadata.is_ok_and(|metadata| *version == Version::of(&metadata)) {
                return Ok(token.clone());
            }
        }
        // A path through a link that is being replaced may lead nowhere for a moment.
        let (version, key) = self.key().or_else(|_| self.key()).map_err(|reason| {
            let path = self.path.to_string_lossy();
            format!("cannot use the key file {}: {reason}", Escaped(&path))
        })?;
        let token = Token::new(key).recheck_after(RECHECK);
        *last = Some((version, token.clone()));
        Ok(token)
    }

    fn key(&self) -> io::Result<(Version, SecretValue)> {
        let refuse = |reason: &str| Err(io::Error::other(reason));
        // Opening another kind of file, such as a pipe, could block forever.
        if !self.path.metadata()?.is_file() {
            return refuse("it is not a file");
        }
        let file = File::open(&self.path)?;
        let version = Version::of(&file.metadata()?);
        let contents = contents(file)?;
        let Ok(text) = std::str::from_utf8(&contents) else { return refuse("it is not UTF-8") };
        match text.trim() {
            "" => refuse("it is empty"),
            key => Ok((version, key.into())),
        }
    }
}

/// What changes when a file is replaced.
#[derive(Debug, PartialEq)]
struct Version {
    modified: Option<SystemTime>,
    length: u64,
    #[cfg(unix)]
    inode: (u64, u64),
}

impl Version {
    fn of(metadata: &Metadata) -> Self {
        Self {
            modified: metadata.modified().ok(),
            length: metadata.len(),
            #[cfg(unix)]
            inode: {
                use std::os::unix::fs::MetadataExt as _;
                (metadata.dev(), metadata.ino())
            },
        }
    }
}

/// Reads into a buffer that never grows, because growing leaves copies of the key behind. Its spare
/// capacity keeps the standard library from using a buffer of its own.
fn contents(file: File) -> io::Result<Zeroizing<Vec<u8>>> {
    const SPARE: usize = 64;
    let mut contents = Zeroizing::new(Vec::with_capacity(MAX_LENGTH + SPARE));
    file.take(MAX_LENGTH as u64 + 1).read_to_end(&mut contents)?;
    if contents.len() > MAX_LENGTH {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is longer than any key"));
    }
    Ok(contents)
}
