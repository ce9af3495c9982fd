//! The ends of streams, and streams made small: tail, gzip, base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write as _;

/// The last lines, or with `-c` the last bytes.
pub(super) fn tail(args: &[String], input: &str) -> String {
    let count: usize =
        args.last().and_then(|last| last.trim_start_matches(['-', 'n', 'c']).parse().ok()).unwrap_or(10);
    if args.iter().any(|arg| arg.starts_with("-c")) {
        let from = input.len().saturating_sub(count);
        return String::from_utf8_lossy(input.as_bytes().get(from..).unwrap_or_default()).into_owned();
    }
    let lines: Vec<&str> = input.lines().collect();
    lines.iter().skip(lines.len().saturating_sub(count)).map(|line| format!("{line}\n")).collect()
}

/// What gzip makes of text: each byte as the character of its number, since streams are text here.
pub(super) fn gzip(input: &str) -> String {
    let mut packer = GzEncoder::new(Vec::new(), Compression::best());
    // Writing into memory cannot fail.
    let _ = packer.write_all(input.as_bytes());
    packer.finish().unwrap_or_default().into_iter().map(char::from).collect()
}

/// Base64 of such bytes, or of text; on one line, as `-w 0` has it.
pub(super) fn base64(input: &str) -> String {
    let bytes: Option<Vec<u8>> = input.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
    STANDARD.encode(bytes.unwrap_or_else(|| input.as_bytes().to_vec()))
}
