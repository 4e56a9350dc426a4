//! Malicious servers, or machines in between.

mod bodies;
mod echoes;
mod heads;
mod leaks;
mod redirects;
