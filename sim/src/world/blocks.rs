//! The bytes of a file in blocks, of which those that nobody wrote take no memory.

/// Bytes in a block; a store's page.
const BLOCK: usize = 4096;

/// A file's bytes.
#[derive(Clone, Default)]
pub(super) struct Blocks {
    length: usize,
    /// Each block that was written, by its place; the others are zero.
    blocks: Vec<Option<Box<[u8; BLOCK]>>>,
}

impl Blocks {
    /// Bytes in the file.
    pub(super) fn len(&self) -> usize {
        self.length
    }

    /// Cuts the file off, or lets it end in zeros.
    pub(super) fn resize(&mut self, length: usize) {
        if length < self.length {
            self.blocks.truncate(length.div_ceil(BLOCK));
            if let Some(Some(last)) = self.blocks.get_mut(length / BLOCK) {
                last[length % BLOCK..].fill(0);
            }
        }
        self.length = length;
    }

    /// Writes at an offset; the file grows where it was too short.
    pub(super) fn put(&mut self, offset: usize, data: &[u8]) {
        self.length = self.length.max(offset + data.len());
        for (place, within, part) in parts(offset, data.len()) {
            if self.blocks.len() <= place {
                self.blocks.resize(place + 1, None);
            }
            let block = self.blocks[place].get_or_insert_with(|| Box::new([0; BLOCK]));
            block[within..within + part.len()].copy_from_slice(&data[part]);
        }
    }

    /// Reads from an offset; whether all of that is in the file.
    pub(super) fn read(&self, offset: usize, out: &mut [u8]) -> bool {
        if offset.checked_add(out.len()).is_none_or(|end| end > self.length) {
            return false;
        }
        for (place, within, part) in parts(offset, out.len()) {
            match self.blocks.get(place) {
                Some(Some(block)) => {
                    let from = &block[within..within + part.len()];
                    out[part].copy_from_slice(from);
                }
                _ => out[part].fill(0),
            }
        }
        true
    }
}

/// A span of the file cut at the blocks' borders: the block's place, where in it the part begins, and the part of the span.
fn parts(offset: usize, length: usize) -> impl Iterator<Item = (usize, usize, std::ops::Range<usize>)> {
    let mut done = 0;
    std::iter::from_fn(move || {
        if done >= length {
            return None;
        }
        let (place, within) = ((offset + done) / BLOCK, (offset + done) % BLOCK);
        let part = done..length.min(done + BLOCK - within);
        done = part.end;
        Some((place, within, part))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    #[derive(Debug, Clone)]
    enum Change {
        Put(usize, Vec<u8>),
        Resize(usize),
    }

    fn change() -> impl Strategy<Value = Change> {
        let place = 0..3 * BLOCK;
        prop_oneof![
            (place.clone(), vec(1_u8.., 0..2 * BLOCK)).prop_map(|(offset, data)| Change::Put(offset, data)),
            place.prop_map(Change::Resize),
        ]
    }

    proptest! {
        #[test]
        fn blocks_hold_what_bytes_in_a_row_would(changes in vec(change(), 0..12)) {
            let (mut blocks, mut bytes) = (Blocks::default(), Vec::new());
            for change in changes {
                match change {
                    Change::Put(offset, data) => {
                        blocks.put(offset, &data);
                        if !data.is_empty() || offset > bytes.len() {
                            bytes.resize(bytes.len().max(offset + data.len()), 0);
                        }
                        bytes[offset..offset + data.len()].copy_from_slice(&data);
                    }
                    Change::Resize(length) => {
                        blocks.resize(length);
                        bytes.resize(length, 0);
                    }
                }
                prop_assert_eq!(blocks.len(), bytes.len());
                let mut out = vec![7; bytes.len()];
                prop_assert!(blocks.read(0, &mut out));
                prop_assert!(out == bytes);
                prop_assert!(!blocks.read(1, &mut out) || out.is_empty());
            }
        }
    }
}
