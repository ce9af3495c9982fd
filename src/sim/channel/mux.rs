//! Several connections in one stream, as agents after 3.0.196 have them: frames of version, command, length and
//! connection, little endian.

/// The first version of the protocol, which the plugin speaks.
const VERSION: u8 = 1;
/// Bytes before what a frame carries.
const HEADER: usize = 8;

/// A frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Frame {
    /// A connection begins.
    Open(u32),
    /// It ends.
    Close(u32),
    /// Something goes through it.
    Data(u32, Vec<u8>),
    /// Nothing: a sign of life.
    Nothing,
}

impl Frame {
    /// Takes the first whole frame away from what came; `Err` for what is none.
    pub(super) fn take(from: &mut Vec<u8>) -> Result<Option<Self>, ()> {
        let Some((head, rest)) = from.split_at_checked(HEADER) else { return Ok(None) };
        let &[version, command, low, high, a, b, c, d] = head else { return Err(()) };
        if version != VERSION {
            return Err(());
        }
        let length = usize::from(u16::from_le_bytes([low, high]));
        let Some(data) = rest.get(..length) else { return Ok(None) };
        let of = u32::from_le_bytes([a, b, c, d]);
        let frame = match command {
            0 => Self::Open(of),
            1 => Self::Close(of),
            2 => Self::Data(of, data.to_vec()),
            3 => Self::Nothing,
            _ => return Err(()),
        };
        from.drain(..HEADER + length);
        Ok(Some(frame))
    }

    /// As it goes over the wire.
    pub(super) fn write(&self) -> Vec<u8> {
        let (command, of, data) = match self {
            Self::Open(of) => (0, *of, &[][..]),
            Self::Close(of) => (1, *of, &[][..]),
            Self::Data(of, data) => (2, *of, data.as_slice()),
            Self::Nothing => (3, 0, &[][..]),
        };
        let mut bytes = vec![VERSION, command];
        bytes.extend(u16::try_from(data.len()).unwrap_or(u16::MAX).to_le_bytes());
        bytes.extend(of.to_le_bytes());
        bytes.extend(data);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_read_however_the_bytes_fall() {
        let all = [Frame::Open(3), Frame::Data(3, vec![7; 300]), Frame::Nothing, Frame::Close(3)];
        let bytes: Vec<u8> = all.iter().flat_map(Frame::write).collect();
        for size in [1, 5, 8, 9, 400] {
            let (mut come, mut read) = (Vec::new(), Vec::new());
            for piece in bytes.chunks(size) {
                come.extend(piece);
                while let Some(frame) = Frame::take(&mut come).unwrap() {
                    read.push(frame);
                }
            }
            assert!(read == all && come.is_empty(), "{size}");
        }
        assert!(
            Frame::take(&mut vec![9; 8]).is_err() && Frame::take(&mut vec![1, 9, 0, 0, 0, 0, 0, 0]).is_err()
        );
    }
}
