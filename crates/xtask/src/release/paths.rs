//! Keeps the paths of the machine that builds out of what is shipped, where panics name source files.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

/// Arguments for cargo that shorten the paths of dependencies to `name-version/src/…`. The paths of this workspace are relative
/// already.
pub(super) fn without_those_of_this_machine() -> [String; 2] {
    let flags: Vec<_> = sources().iter().filter_map(|folder| remap(folder)).collect();
    // Added to the flags in `.cargo/config.toml`, which the environment variable would replace.
    ["--config".to_owned(), format!("target.wasm32-unknown-unknown.rustflags = [{}]", flags.join(", "))]
}

/// The folders of registries that hold the sources of dependencies.
fn sources() -> Vec<PathBuf> {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| env::home_dir().map(|home| home.join(".cargo")));
    let registries = home.and_then(|home| fs::read_dir(home.join("registry/src")).ok());
    let mut folders: Vec<_> =
        registries.into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path())).collect();
    folders.sort();
    folders
}

/// As a string of TOML, which has no escapes between single quotes; `None` for a path that has such a quote itself.
fn remap(folder: &Path) -> Option<String> {
    let flag = format!("--remap-path-prefix={}{}=", folder.display(), std::path::MAIN_SEPARATOR);
    (!flag.contains('\'')).then(|| format!("'{flag}'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_removed_from_paths_unless_its_name_has_a_quote() {
        let separator = std::path::MAIN_SEPARATOR;
        let flag = format!("'--remap-path-prefix=sources{separator}='");
        assert_eq!(remap(Path::new("sources")), Some(flag));
        assert_eq!(remap(Path::new("o'brien")), None);
    }
}
