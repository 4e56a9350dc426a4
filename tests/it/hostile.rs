//! Servers, or whoever sits in between, that mean no good.

mod bodies;
mod echoes;
mod heads;
mod leaks;
mod redirects;
