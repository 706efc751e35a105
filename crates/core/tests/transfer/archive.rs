//! An archive, read from its end as programs do. Of large files only the length is simulated.

use sightline_core::transfer::{Archive, Crc32, MAX_DEPTH, safe_folder, safe_name};

const GIB: u64 = 1024 * 1024 * 1024;

/// What a program finds in an archive: path, checksum, length and place of each file.
type Found = Vec<(String, u32, u64, u64)>;

/// The headers of an archive with their places, without the bytes of its files.
struct Written {
    parts: Vec<(u64, Vec<u8>)>,
    end: (u64, Vec<u8>),
}

fn write(files: &[(&str, u64, u32)]) -> Written {
    let (mut archive, mut at, mut parts) = (Archive::default(), 0, Vec::new());
    for (path, size_bytes, crc32) in files {
        let header = archive.add(path, *size_bytes, *crc32);
        let length = header.len() as u64 + size_bytes;
        parts.push((at, header));
        at += length;
    }
    Written { parts, end: (at, archive.finish()) }
}

fn number(bytes: &[u8], at: usize, length: usize) -> u64 {
    bytes[at..at + length].iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

/// The numbers of the ZIP64 record in the extra field of a header.
fn zip64(extra: &[u8]) -> Vec<u64> {
    if extra.is_empty() {
        return Vec::new();
    }
    assert_eq!((number(extra, 0, 2), number(extra, 2, 2) as usize), (1, extra.len() - 4));
    (4..extra.len()).step_by(8).map(|at| number(extra, at, 8)).collect()
}

/// Reads the directory that the end of the archive leads to, and checks that each file's own header says the same.
fn read(written: &Written) -> Found {
    let (place, end) = &written.end;
    let tail = end.len() - 22;
    assert_eq!(&end[tail..tail + 4], b"PK\x05\x06");
    let (mut files, mut length, mut start) =
        (number(end, tail + 10, 2), number(end, tail + 12, 4), number(end, tail + 16, 4));
    if files == 0xffff {
        assert_eq!(&end[tail - 20..tail - 16], b"PK\x06\x07");
        let record = (number(end, tail - 12, 8) - place) as usize;
        assert_eq!(&end[record..record + 4], b"PK\x06\x06");
        files = number(end, record + 32, 8);
        (length, start) = (number(end, record + 40, 8), number(end, record + 48, 8));
    }
    assert_eq!(start, *place);
    let (mut found, mut at) = (Vec::new(), 0);
    while at < length as usize {
        let entry = &end[at..];
        assert_eq!(&entry[..4], b"PK\x01\x02");
        let (name_bytes, extra_bytes) = (number(entry, 28, 2) as usize, number(entry, 30, 2) as usize);
        let path = std::str::from_utf8(&entry[46..46 + name_bytes]).expect("UTF-8").to_owned();
        let mut wide = zip64(&entry[46 + name_bytes..46 + name_bytes + extra_bytes]).into_iter();
        let mut field =
            |narrow: u64| if narrow == 0xffff_ffff { wide.next().expect("a number") } else { narrow };
        let (size, stored) = (field(number(entry, 24, 4)), field(number(entry, 20, 4)));
        let offset = field(number(entry, 42, 4));
        assert_eq!(size, stored);
        let crc32 = number(entry, 16, 4) as u32;
        let (_, header) = written.parts.iter().find(|(place, _)| *place == offset).expect("a header there");
        assert_eq!(&header[..4], b"PK\x03\x04");
        assert_eq!(number(header, 14, 4) as u32, crc32);
        assert_eq!(&header[30..30 + name_bytes], path.as_bytes());
        let own = zip64(&header[30 + name_bytes..]);
        assert_eq!(own, if size >= 0xffff_ffff { vec![size, size] } else { vec![] });
        found.push((path, crc32, size, offset));
        at += 46 + name_bytes + extra_bytes;
    }
    assert_eq!(found.len() as u64, files);
    found
}

#[test]
fn a_small_archive_lists_every_file_and_needs_no_zip64() {
    let written = write(&[("a.txt", 3, 7), ("\u{56fe}\u{7247}/b.png", 0, 0)]);
    assert_eq!(
        read(&written),
        [("a.txt".to_owned(), 7, 3, 0), ("\u{56fe}\u{7247}/b.png".to_owned(), 0, 0, 38)]
    );
    assert!(!written.end.1.windows(4).any(|bytes| bytes == b"PK\x06\x06"));
}

#[test]
fn files_beyond_four_gibibytes_keep_their_size_and_place() {
    let files = [("film.mp4", 10 * GIB, 1), ("small.txt", 5, 2), ("film (2).mp4", 5 * GIB, 3)];
    let found = read(&write(&files));
    for ((path, size_bytes, crc32), found) in files.iter().zip(&found) {
        assert_eq!((found.0.as_str(), found.1, found.2), (*path, *crc32, *size_bytes));
    }
    assert!(found[1].3 > 10 * GIB && found[2].3 > 10 * GIB);
}

#[test]
fn the_longest_path_that_a_member_may_offer_fits_into_a_header() {
    let folder = safe_folder(&format!("../{}\\", "\u{56fe}".repeat(300)).repeat(2 * MAX_DEPTH));
    let path = format!("{folder}/{}", safe_name(&format!("../{}.txt", "y".repeat(300))));
    assert!(path.len() > 16_000 && path.split('/').all(|part| !part.is_empty() && part != ".."), "{path}");
    assert_eq!(read(&write(&[(&path, 1, 2)])), [(path, 2, 1, 0)]);
}

#[test]
fn an_archive_holds_more_than_65_534_files() {
    let files: Vec<_> = (0..70_000).map(|number| ("x", 1, number)).collect();
    assert_eq!(read(&write(&files)).len(), files.len());
}

#[test]
fn the_checksum_is_that_of_the_standard_in_whatever_parts_the_bytes_come() {
    for parts in [vec![&b"123456789"[..]], vec![b"12345678", b"9"], vec![b"1", b"2345678", b"", b"9"]] {
        let mut crc32 = Crc32::default();
        parts.iter().for_each(|part| crc32.update(part));
        assert_eq!(crc32.take(), 0xcbf4_3926);
        assert_eq!(crc32.take(), 0, "the next file begins from zero");
    }
}
