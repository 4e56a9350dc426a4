//! What is retried, how many times, and what the error says if that did not help.

mod budget;
mod faults;
mod waits;
