//! The shipped `index.html`, and the files that it names.

use std::{fs, path::Path};

use anyhow::{Context, Result, bail};

use super::{place, worker::Worker};
use crate::{tools::ClientTools, workspace};

/// The beginning of an instruction for trunk, which this module follows.
const TRUNK_LINK: &str = "<link data-trunk";

/// The style sheet of the split modules, before its name contains a hash.
pub(super) const LATER_STYLES: &str = "sightline-later";

/// The two style sheets of [`styles`], by their file names.
pub(super) struct Styles {
    /// The style sheet for home page, lobby and the frame of the room.
    first: String,
    /// The style sheet for the split modules: the links with `data-later`.
    pub(super) later: String,
}

/// Writes the two style sheets that all style sheets of the page are merged into.
///
/// # Errors
/// Where one is missing.
pub(super) fn styles(tools: &ClientTools, dist: &Path) -> Result<Styles> {
    let html = source()?;
    let (mut first, mut later) = (String::new(), String::new());
    for link in links(&html) {
        if link.attribute("rel").as_deref() == Some("css") {
            let styles = if link.0.contains("data-later") { &mut later } else { &mut first };
            styles.push_str(&fs::read_to_string(workspace::root().join(link.href()?))?);
        }
    }
    let write = |stem, styles: &str| place(dist, stem, "css", tools.minify(styles, "css")?.as_bytes());
    Ok(Styles { first: write("sightline", &first)?, later: write(LATER_STYLES, &later)? })
}

/// Writes `index.html` and the files that it names. The first of `modules` is needed at once.
///
/// # Errors
/// If the page contains an instruction for trunk that this module does not know.
pub(super) fn assemble(
    tools: &ClientTools,
    work: &Path,
    dist: &Path,
    script: &str,
    styles: &Styles,
    modules: &[(String, String)],
) -> Result<()> {
    let mut html = source()?;
    let mut added = Vec::new();
    for link in links(&html.clone()) {
        html = html.replacen(link.0, "", 1);
        match link.attribute("rel").as_deref() {
            Some("css") => {}
            Some("icon") => {
                let name = link.place(dist)?;
                let kind = link.attribute("type").unwrap_or_default();
                added.push(format!("<link rel=\"icon\" type=\"{kind}\" href=\"/{name}\">"));
            }
            Some("copy-file") => {
                let from = workspace::root().join(link.href()?);
                fs::copy(&from, dist.join(from.file_name().unwrap_or_default()))?;
            }
            Some("copy-dir") => {
                let from = workspace::root().join(link.href()?);
                workspace::copy_folder(&from, &dist.join(from.file_name().unwrap_or_default()))?;
            }
            Some("rust") if link.attribute("data-type").as_deref() == Some("worker") => {
                link.worker()?.build(tools, work, dist)?;
            }
            Some("rust") => {}
            other => bail!("index.html: <link data-trunk rel={other:?}> is not known to `cargo xtask build`"),
        }
    }
    let (_, main) = modules.first().context("no main module")?;
    added.push(format!("<link rel=\"stylesheet\" href=\"/{}\">", styles.first));
    added.push(format!(
        "<link rel=\"preload\" href=\"/{main}\" as=\"fetch\" type=\"application/wasm\" crossorigin>"
    ));
    added.push(format!("<script type=\"module\" src=\"/{script}\"></script>"));
    let html = html
        .replace("<base data-trunk-public-url />", "<base href=\"/\">")
        .replace("</head>", &format!("{}</head>", added.concat()));
    let html = html.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n");
    fs::write(dist.join("index.html"), html).context("cannot write index.html")
}

/// The page from the source tree, without comments and with each element's attributes on one line.
fn source() -> Result<String> {
    let page = workspace::root().join("index.html");
    let html = without_comments(&fs::read_to_string(&page).context("cannot read index.html")?);
    let html = html.replace("<link\n", "<link ");
    Ok(html.split("<link ").map(str::trim_start).collect::<Vec<_>>().join("<link "))
}

/// The instructions for trunk.
fn links(html: &str) -> Vec<Link<'_>> {
    let starts = html.match_indices(TRUNK_LINK).map(|(start, _)| &html[start..]);
    starts.filter_map(|rest| Some(Link(&rest[..=rest.find('>')?]))).collect()
}

/// An instruction for trunk: `<link data-trunk ...>`.
struct Link<'a>(&'a str);

impl Link<'_> {
    fn attribute(&self, name: &str) -> Option<String> {
        let (_, after) = self.0.split_once(&format!("{name}=\""))?;
        after.split('"').next().map(str::to_owned)
    }

    fn href(&self) -> Result<String> {
        self.attribute("href").with_context(|| format!("index.html: {} has no href", self.0))
    }

    fn worker(&self) -> Result<Worker> {
        let bin = self.attribute("data-bin").context("index.html: a worker has no data-bin")?;
        let optimisation = self.attribute("data-wasm-opt").unwrap_or_else(|| "z".to_owned());
        Ok(Worker { bin, optimisation })
    }

    /// Writes the file that the link names. Returns its new name.
    fn place(&self, dist: &Path) -> Result<String> {
        let href = self.href()?;
        let file = Path::new(&href);
        let part = |part: Option<&std::ffi::OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
        let content =
            fs::read(workspace::root().join(file)).with_context(|| format!("index.html names {href}"))?;
        place(dist, &part(file.file_stem()), &part(file.extension()), &content)
    }
}

fn without_comments(html: &str) -> String {
    let mut rest = html;
    let mut kept = String::with_capacity(html.len());
    while let Some((before, comment)) = rest.split_once("<!--") {
        kept.push_str(before);
        rest = comment.split_once("-->").map_or("", |(_, after)| after);
    }
    kept.push_str(rest);
    kept
}
