//! The self-signed certificate. It is kept on disk, so that a browser that once accepted it continues to do so.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose,
};
use time::OffsetDateTime;

use super::{certificate::CertificateError, names};
use crate::{key_file, time::UnixTime};

const FILE_NAME: &str = "self-signed.pem";

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Apple's systems refuse certificates that are valid for more than 825 days; public ones are valid for 398.
const LIFE: Duration = DAY.saturating_mul(397);
/// A new certificate is made this long before the old one expires.
const RENEWED_BEFORE: Duration = DAY.saturating_mul(30);
/// The certificate begins this long before it is made, for guests whose clocks are slow.
const VALID_SINCE: Duration = DAY;

/// Lines before the PEM blocks, where RFC 7468 section 5.2 allows explanatory text.
const NAMES: &str = "names: ";
const EXPIRES: &str = "expires, seconds since 1970: ";

/// The file in `data_dir` with a certificate for this machine and its key. Creates or renews the file if necessary.
pub(super) fn keep(data_dir: &Path, now: UnixTime) -> Result<PathBuf, CertificateError> {
    let path = data_dir.join(FILE_NAME);
    let current = names::of_this_machine();
    // A key that others could read is no secret, so another one is made.
    let is_exposed = fs::metadata(&path).is_ok_and(|metadata| key_file::exposed_mode(&metadata).is_some());
    let kept = fs::read_to_string(&path).ok().and_then(|text| Summary::read(&text));
    let earlier = match kept {
        Some(kept) if !is_exposed && kept.serves(&current, now) => return Ok(path),
        Some(kept) => kept.names,
        None => Vec::new(),
    };
    let text = make(names::united(&current, &earlier), now)?;
    key_file::write_private(&path, text.as_bytes())
        .map_err(|source| CertificateError::NotKept { path: path.clone(), source })?;
    tracing::info!(path = %path.display(), "made a certificate");
    Ok(path)
}

/// The content of the lines before the PEM blocks.
#[derive(Debug, PartialEq, Eq)]
struct Summary {
    names: Vec<String>,
    expires_s: u64,
}

impl Summary {
    fn read(text: &str) -> Option<Self> {
        let value = |label| text.lines().find_map(|line| line.strip_prefix(label));
        Some(Self {
            names: value(NAMES)?.split_whitespace().map(str::to_owned).collect(),
            expires_s: value(EXPIRES)?.parse().ok()?,
        })
    }

    fn serves(&self, current: &[String], now: UnixTime) -> bool {
        (now + RENEWED_BEFORE).as_s() < self.expires_s && current.iter().all(|name| self.names.contains(name))
    }
}

fn make(names: Vec<String>, now: UnixTime) -> Result<String, rcgen::Error> {
    let expires_s = (now + LIFE).as_s();
    let head = format!(
        "Sightline's certificate for this machine, made by the server. Delete it to have another.\n\
         {NAMES}{}\n{EXPIRES}{expires_s}\n",
        names.join(" ")
    );
    let mut params = CertificateParams::new(names)?;
    params.not_before = date(now.as_s().saturating_sub(VALID_SINCE.as_secs()));
    params.not_after = date(expires_s);
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, "Sightline on this machine");
    params.distinguished_name = name;
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    Ok(format!("{head}{}{}", key.serialize_pem(), certificate.pem()))
}

fn date(unix_s: u64) -> OffsetDateTime {
    let seconds = i64::try_from(unix_s).unwrap_or(i64::MAX);
    OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime::from_ms(1_790_000_000_000);

    fn text_after(dir: &Path, now: UnixTime) -> String {
        fs::read_to_string(keep(dir, now).unwrap()).unwrap()
    }

    #[test]
    fn the_certificate_is_made_once_and_kept_until_a_month_before_its_end() {
        let dir = tempfile::tempdir().unwrap();
        let first = text_after(dir.path(), NOW);
        assert_eq!(text_after(dir.path(), NOW + DAY * 366), first);
        assert_ne!(text_after(dir.path(), NOW + DAY * 367), first);
    }

    #[test]
    fn a_certificate_without_a_current_address_is_made_again_and_keeps_the_earlier_addresses() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(FILE_NAME);
        fs::write(&path, make(vec!["localhost".into(), "192.0.2.1".into()], NOW).unwrap()).unwrap();
        let names = Summary::read(&text_after(dir.path(), NOW)).unwrap().names;
        assert!(names.contains(&"192.0.2.1".to_owned()) && names.contains(&"::1".to_owned()), "{names:?}");
    }

    #[test]
    fn a_damaged_certificate_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(FILE_NAME), "names: x\n").unwrap();
        assert!(text_after(dir.path(), NOW).contains("BEGIN CERTIFICATE"));
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_can_read_the_private_key() {
        use std::os::unix::fs::PermissionsExt;

        let dir = tempfile::tempdir().unwrap();
        let path = keep(dir.path(), NOW).unwrap();
        let mode = || fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(), 0o600);
        let first = fs::read_to_string(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert_ne!(text_after(dir.path(), NOW), first, "another user may have read the old key");
        assert_eq!(mode(), 0o600);
    }
}
