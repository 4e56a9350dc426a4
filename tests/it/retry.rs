//! What is sent again, how often, and what is said when it did not help.

mod budget;
mod faults;
mod waits;
