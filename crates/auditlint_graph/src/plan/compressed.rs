//! A document that is compressed with gzip, unpacked while it is read.

use std::io::{self, Read};

use flate2::read::MultiGzDecoder;

/// More than this is never unpacked of one document.
const MOST: u64 = 8 << 30;
/// Every document may grow to this size, however small it was.
const FREE: u64 = 16 << 20;
/// A larger one may be so many times as large as what it is unpacked from: plans reach 15 to 40, a bomb 1000.
const RATIO: u64 = 300;

/// The first bytes of a file that is compressed with gzip.
pub(super) const MAGIC: [u8; 2] = [0x1F, 0x8B];

/// Gives what was compressed, within bounds.
pub(super) struct Unpacked<R> {
    inner: MultiGzDecoder<Counted<R>>,
    given: u64,
}

struct Counted<R> {
    inner: R,
    read: u64,
}

impl<R: Read> Unpacked<R> {
    pub(super) fn new(inner: R) -> Self {
        Self { inner: MultiGzDecoder::new(Counted { inner, read: 0 }), given: 0 }
    }
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(out).map_err(explained)?;
        self.given += count as u64;
        let read = self.inner.get_ref().read;
        if self.given > MOST || self.given > FREE.max(read.saturating_mul(RATIO)) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the compressed file unpacks to far more than a plan would; unpack it first (`gunzip -c FILE`)",
            ));
        }
        Ok(count)
    }
}

/// What ends too early keeps its kind: the reader makes a gap of it.
fn explained(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof | io::ErrorKind::Interrupted => error,
        kind => io::Error::new(kind, format!("the file is compressed, and damaged: {error}")),
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(out)?;
        self.read += count as u64;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn packed(parts: usize, part: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        (0..parts).for_each(|_| encoder.write_all(part).unwrap());
        encoder.finish().unwrap()
    }

    #[test]
    fn members_follow_each_other() {
        let packed = [packed(1, b"one "), packed(1, b"two")].concat();
        let mut text = String::new();
        Unpacked::new(&*packed).read_to_string(&mut text).unwrap();
        assert_eq!(text, "one two");
    }

    #[test]
    fn a_bomb_ends_with_an_error() {
        let packed = packed(64, &vec![b' '; 1 << 20]);
        let given = io::copy(&mut Unpacked::new(&*packed), &mut io::sink());
        assert_eq!(given.unwrap_err().kind(), io::ErrorKind::InvalidData);
    }

    #[test]
    fn what_was_cut_ends_too_early() {
        let packed = packed(4, b"some text of a plan");
        let cut = &packed[..packed.len() - 3];
        let given = io::copy(&mut Unpacked::new(cut), &mut io::sink());
        assert_eq!(given.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }
}
