//! Searches the memory of its own process, and leaves nothing in it.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};

use crate::counts::Copies;
use crate::marker::{LENGTH, Marker};

/// The shortest piece of a copy that is recognised. glibc overwrites the first 16 bytes of freed
/// memory, so a search for the whole would call a dropped `String` clean.
const PIECE: usize = 8;
const PIECES: usize = LENGTH / PIECE;
const BLOCK: usize = 1024 * 1024;
const ZEROS: [u8; 256] = [0; 256];
const MAX_MAPS: usize = 256 * 1024;

/// Allocates all its memory before the first scan: memory allocated later could be what it must
/// search.
pub(crate) struct Scanner {
    marker: Marker,
    memory: File,
    maps: String,
    block: Vec<u8>,
    /// Bytes that a piece begins with.
    begins: [bool; 256],
}

impl Scanner {
    /// Fails if the system does not let a process read its own memory.
    pub(crate) fn new(marker: Marker) -> io::Result<Self> {
        let mut begins = [false; 256];
        for byte in u8::MIN..=u8::MAX {
            begins[usize::from(byte)] = (0..PIECES).any(|piece| marker.has(piece * PIECE, byte));
        }
        let mut scanner = Self {
            marker,
            memory: File::open("/proc/self/mem")?,
            maps: String::with_capacity(MAX_MAPS),
            block: vec![0; BLOCK + 2 * LENGTH],
            begins,
        };
        scanner.maps.clear();
        File::open("/proc/self/maps")?.read_to_string(&mut scanner.maps)?;
        let known = [0x5E_u8; 1];
        let mut read = [0_u8; 1];
        scanner.memory.seek(SeekFrom::Start(known.as_ptr().addr() as u64))?;
        scanner.memory.read_exact(&mut read)?;
        if read != known {
            return Err(io::Error::other("it shows something else"));
        }
        Ok(scanner)
    }

    pub(crate) fn scan(&mut self) -> Copies {
        self.maps.clear();
        File::open("/proc/self/maps").unwrap().read_to_string(&mut self.maps).unwrap();
        assert!(self.maps.len() < MAX_MAPS, "the list of maps grew beyond what was set aside");
        let maps = std::mem::take(&mut self.maps);
        // Reading the block into itself would count its content twice.
        let own = self.block.as_ptr().addr();
        let own_end = own + self.block.len();
        let mut found = Copies::default();
        for line in maps.lines() {
            let Some((start, end)) = writable(line) else { continue };
            self.scan_range(start, end.min(own), &mut found);
            self.scan_range(start.max(own_end), end, &mut found);
        }
        self.maps = maps;
        found
    }

    fn scan_range(&mut self, start: usize, end: usize, found: &mut Copies) {
        let mut at = start;
        while at < end {
            let stop = end.min(at + BLOCK);
            // A copy across a border belongs to the block in which its piece begins.
            let from = start.max(at.saturating_sub(LENGTH));
            let to = end.min(stop + LENGTH);
            self.memory.seek(SeekFrom::Start(from as u64)).unwrap();
            self.memory.read_exact(&mut self.block[..to - from]).unwrap();
            self.scan_block(at - from, stop - from, to - from, found);
            self.block.fill(0);
            at = stop;
        }
    }

    fn scan_block(&self, from: usize, until: usize, length: usize, found: &mut Copies) {
        let block = &self.block[..length];
        let mut at = from;
        while at < until {
            let byte = block[at];
            // Nearly all memory is untouched, and comparing it at once is fast without optimization, too.
            if byte == 0 && at + ZEROS.len() <= until && block[at..at + ZEROS.len()] == ZEROS {
                at += ZEROS.len();
                continue;
            }
            if self.begins[usize::from(byte)] {
                for piece in (0..PIECES).filter(|piece| self.is_piece(block, at, *piece)) {
                    self.count(block, at, piece, found);
                }
            }
            at += 1;
        }
    }

    /// Byte by byte: an unmasked word of the marker would remain on the stack.
    fn is_piece(&self, block: &[u8], at: usize, piece: usize) -> bool {
        let place = piece * PIECE;
        at + PIECE <= block.len()
            && (0..PIECE).all(|next| self.marker.has(place + next, block[at + next]))
    }

    /// Counts the copy that the piece belongs to, unless an earlier piece of it was found.
    fn count(&self, block: &[u8], at: usize, piece: usize, found: &mut Copies) {
        let there = |other: usize| {
            let place = (at + other * PIECE).checked_sub(piece * PIECE);
            place.is_some_and(|place| self.is_piece(block, place, other))
        };
        if (0..piece).any(there) {
            return;
        }
        if piece == 0 && (1..PIECES).all(there) {
            found.whole += 1;
        } else {
            found.partial += 1;
        }
    }
}

/// The range of memory in a line of the list of maps, if it is writable.
fn writable(line: &str) -> Option<(usize, usize)> {
    let (range, rest) = line.split_once(' ')?;
    if !rest.starts_with("rw") {
        return None;
    }
    let (start, end) = range.split_once('-')?;
    Some((usize::from_str_radix(start, 16).ok()?, usize::from_str_radix(end, 16).ok()?))
}
