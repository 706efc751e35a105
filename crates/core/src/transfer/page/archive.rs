//! The headers of a ZIP archive whose files are stored as they are, so that an archive is a list of headers and files: nobody has
//! to hold or copy their bytes.
//!
//! Files and archives beyond 4 GiB use ZIP64 (APPNOTE 6.3.10, 4.3.14 and 4.5.3). Smaller ones do not, since some programs cannot
//! open it.

/// Value of a 32-bit field whose number is in the ZIP64 record instead.
const IN_ZIP64: u32 = u32::MAX;
/// The names are UTF-8 (APPNOTE 4.4.4, bit 11).
const FLAGS: u16 = 1 << 11;
/// 1980-01-01, the first date of the format: the times of files are not part of an offer's view.
const DATE: u16 = (1 << 5) | 1;
const VERSION_PLAIN: u16 = 20;
const VERSION_ZIP64: u16 = 45;

/// Writes the headers of an archive, file by file.
#[derive(Debug, Default)]
pub struct Archive {
    /// Length of all headers and files so far.
    length_bytes: u64,
    directory: Vec<u8>,
    files: u64,
}

impl Archive {
    /// The header before the bytes of the next file. `path` has its folders separated by `/`, and at most 65,535 bytes.
    pub fn add(&mut self, path: &str, size_bytes: u64, crc32: u32) -> Vec<u8> {
        let offset = self.length_bytes;
        let name_bytes = path.len() as u16;
        let is_large = size_bytes >= u64::from(IN_ZIP64);
        let size = if is_large { IN_ZIP64 } else { size_bytes as u32 };
        let version = if is_large { VERSION_ZIP64 } else { VERSION_PLAIN };
        let sizes: &[u64] = if is_large { &[size_bytes, size_bytes] } else { &[] };

        let mut header = Vec::new();
        header.extend(*b"PK\x03\x04");
        put_common(&mut header, version, crc32, size);
        let extra = zip64_extra(sizes);
        put16(&mut header, &[name_bytes, extra.len() as u16]);
        header.extend(path.as_bytes());
        header.extend(extra);

        let is_far = offset >= u64::from(IN_ZIP64);
        let version = if is_far { VERSION_ZIP64 } else { version };
        let far: &[u64] = if is_far { &[offset] } else { &[] };
        let extra = zip64_extra(&[sizes, far].concat());
        let entry = &mut self.directory;
        entry.extend(*b"PK\x01\x02");
        put16(entry, &[version]);
        put_common(entry, version, crc32, size);
        // No comment, first disk, no attributes.
        put16(entry, &[name_bytes, extra.len() as u16, 0, 0, 0]);
        put32(entry, &[0, if is_far { IN_ZIP64 } else { offset as u32 }]);
        entry.extend(path.as_bytes());
        entry.extend(extra);

        self.files += 1;
        self.length_bytes += header.len() as u64 + size_bytes;
        header
    }

    /// The end of the archive, after the last file.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        let (start, directory_bytes) = (self.length_bytes, self.directory.len() as u64);
        let needs_zip64 = start >= u64::from(IN_ZIP64)
            || directory_bytes >= u64::from(IN_ZIP64)
            || self.files >= u64::from(u16::MAX);
        let mut end = self.directory;
        if needs_zip64 {
            end.extend(*b"PK\x06\x06");
            // The length of the rest of this record.
            put64(&mut end, &[44]);
            put16(&mut end, &[VERSION_ZIP64, VERSION_ZIP64]);
            put32(&mut end, &[0, 0]);
            put64(&mut end, &[self.files, self.files, directory_bytes, start]);
            end.extend(*b"PK\x06\x07");
            put32(&mut end, &[0]);
            put64(&mut end, &[start + directory_bytes]);
            put32(&mut end, &[1]);
        }
        let files = if needs_zip64 { u16::MAX } else { self.files as u16 };
        end.extend(*b"PK\x05\x06");
        put16(&mut end, &[0, 0, files, files]);
        let narrow = |number: u64| if needs_zip64 { IN_ZIP64 } else { number as u32 };
        put32(&mut end, &[narrow(directory_bytes), narrow(start)]);
        put16(&mut end, &[0]);
        end
    }
}

/// The fields that a file's header and its entry in the directory share.
fn put_common(to: &mut Vec<u8>, version: u16, crc32: u32, size: u32) {
    // Stored without compression, at midnight.
    put16(to, &[version, FLAGS, 0, 0, DATE]);
    put32(to, &[crc32, size, size]);
}

fn zip64_extra(numbers: &[u64]) -> Vec<u8> {
    let mut extra = Vec::new();
    if !numbers.is_empty() {
        put16(&mut extra, &[1, 8 * numbers.len() as u16]);
        put64(&mut extra, numbers);
    }
    extra
}

fn put16(to: &mut Vec<u8>, numbers: &[u16]) {
    to.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
}

fn put32(to: &mut Vec<u8>, numbers: &[u32]) {
    to.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
}

fn put64(to: &mut Vec<u8>, numbers: &[u64]) {
    to.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
}

/// CRC-32 of an archive's file (ISO 3309, as APPNOTE 4.4.7 wants it), eight bytes at a time. The tables are made when they are
/// needed, because the page would have to download them otherwise.
#[derive(Debug)]
pub struct Crc32 {
    tables: Box<[[u32; 256]; 8]>,
    state: u32,
}

impl Default for Crc32 {
    fn default() -> Self {
        let mut tables = Box::new([[0; 256]; 8]);
        for byte in 0..256 {
            let mut value = byte as u32;
            for _ in 0..8 {
                value = (value >> 1) ^ if value & 1 == 1 { 0xedb8_8320 } else { 0 };
            }
            tables[0][byte] = value;
        }
        for (at, byte) in (1..8).flat_map(|at| (0..256).map(move |byte| (at, byte))) {
            let before = tables[at - 1][byte];
            tables[at][byte] = (before >> 8) ^ tables[0][(before & 0xff) as usize];
        }
        Self { tables, state: u32::MAX }
    }
}

impl Crc32 {
    /// Takes the next bytes of the file.
    pub fn update(&mut self, bytes: &[u8]) {
        let (eights, rest) = bytes.as_chunks::<8>();
        let [t0, t1, t2, t3, t4, t5, t6, t7] = &*self.tables;
        for eight in eights {
            let mixed = u64::from_le_bytes(*eight) ^ u64::from(self.state);
            let [b0, b1, b2, b3, b4, b5, b6, b7] = mixed.to_le_bytes().map(usize::from);
            self.state = t7[b0] ^ t6[b1] ^ t5[b2] ^ t4[b3] ^ t3[b4] ^ t2[b5] ^ t1[b6] ^ t0[b7];
        }
        for byte in rest {
            let at = (self.state ^ u32::from(*byte)) & 0xff;
            self.state = (self.state >> 8) ^ self.tables[0][at as usize];
        }
    }

    /// The checksum of the bytes so far. The next file begins from zero.
    pub fn take(&mut self) -> u32 {
        !std::mem::replace(&mut self.state, u32::MAX)
    }
}
