//! Sources of tokens: implementations of [`Credentials`](crate::transport::Credentials).

mod cli_login;
mod key_file;

pub use cli_login::CliLogin;
pub(super) use cli_login::default_path;
pub use key_file::KeyFile;
