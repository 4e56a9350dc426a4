//! Where tokens come from: what implements [`Credentials`](crate::transport::Credentials).

mod key_file;

pub use key_file::KeyFile;
