//! The crate as a tree of parsed files: which modules there are, what they define, and what each imports.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, Item, ItemFn, ItemMod, ItemUse, UseTree, Visibility};

/// A file of `src/`, without its tests.
pub struct SourceFile {
    /// Path below `src/`, for messages.
    pub path: PathBuf,
    /// Path of the module: `["app", "view", "events"]`; a `mod.rs` has the path of its folder.
    pub module: Vec<String>,
    /// Lines of the whole file.
    pub lines: usize,
    /// Names of the public types: structs, enums, traits, type aliases.
    pub public_types: Vec<String>,
    /// Names of all types.
    pub types: Vec<String>,
    /// Length in lines of each function, tests left out.
    pub functions: Vec<usize>,
    /// What it names: paths that begin with `crate`, `self`, `super` or a module of its own, made absolute.
    names: Vec<Vec<String>>,
    /// What it exports under another path: the last name of the new path, and the path it stands for.
    exports: BTreeMap<String, Vec<String>>,
}

/// All files of the crate.
pub struct SourceTree {
    /// By the path of the module, joined by `::`.
    pub files: BTreeMap<String, SourceFile>,
}

fn list(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("src can be listed") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            list(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
}

/// Every source file, sorted.
pub fn source_files() -> Vec<PathBuf> {
    let mut found = Vec::new();
    list(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    found.sort();
    found
}

/// A file's path below `src/`.
pub fn below_src(file: &Path) -> PathBuf {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    file.strip_prefix(src).expect("a file in src").to_path_buf()
}

fn module_of(path: &Path) -> Vec<String> {
    let mut module: Vec<String> =
        path.with_extension("").iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if module.last().is_some_and(|last| last == "mod" || last == "lib" || last == "main") {
        module.pop();
    }
    module
}

fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Ident>().is_ok_and(|what| what == "test")
    })
}

/// Collects what a file defines and names.
struct Collector<'a> {
    module: &'a [String],
    children: &'a BTreeSet<String>,
    file: SourceFile,
}

impl Collector<'_> {
    /// A path made absolute, if it leads into this crate.
    fn absolute(&self, path: &[String]) -> Option<Vec<String>> {
        let (first, rest) = path.split_first()?;
        match first.as_str() {
            "crate" => Some(rest.to_vec()),
            "self" => Some([self.module, rest].concat()),
            "super" => {
                let ups = path.iter().take_while(|part| *part == "super").count();
                let base = self.module.get(..self.module.len().checked_sub(ups)?)?;
                Some([base, &path[ups..]].concat())
            }
            _ => {
                let child = [self.module, std::slice::from_ref(first)].concat().join("::");
                self.children.contains(&child).then(|| [self.module, path].concat())
            }
        }
    }

    fn take_use(&mut self, tree: &UseTree, before: &[String], exported: bool) {
        match tree {
            UseTree::Path(path) => {
                let before = [before, &[path.ident.to_string()]].concat();
                self.take_use(&path.tree, &before, exported);
            }
            UseTree::Group(group) => {
                group.items.iter().for_each(|item| self.take_use(item, before, exported));
            }
            UseTree::Name(name) => {
                let name = name.ident.to_string();
                let path =
                    if name == "self" { before.to_vec() } else { [before, &[name]].concat() };
                self.take_path(&path, path.last().cloned().filter(|_| exported));
            }
            UseTree::Rename(rename) => {
                let path = [before, &[rename.ident.to_string()]].concat();
                self.take_path(&path, exported.then(|| rename.rename.to_string()));
            }
            UseTree::Glob(_) => self.take_path(before, None),
        }
    }

    fn take_path(&mut self, path: &[String], exported_as: Option<String>) {
        if let Some(path) = self.absolute(path) {
            if let Some(name) = exported_as {
                self.file.exports.insert(name, path.clone());
            }
            self.file.names.push(path);
        }
    }

    fn take_type(&mut self, name: &syn::Ident, visibility: &Visibility) {
        self.file.types.push(name.to_string());
        if !matches!(visibility, Visibility::Inherited) {
            self.file.public_types.push(name.to_string());
        }
    }

    /// Paths in the arguments of a macro.
    fn take_tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut colons = 0;
        let take = |path: &mut Vec<String>, this: &mut Self| {
            if path.len() > 1 {
                this.take_path(path, None);
            }
            path.clear();
        };
        for token in tokens {
            match token {
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                TokenTree::Ident(ident) => {
                    if colons != 2 {
                        take(&mut path, self);
                    }
                    path.push(ident.to_string());
                    colons = 0;
                }
                TokenTree::Group(group) => {
                    take(&mut path, self);
                    self.take_tokens(group.stream());
                }
                _ => take(&mut path, self),
            }
        }
        take(&mut path, self);
    }

    fn take_function(&mut self, block: &impl Spanned) {
        let span = block.span();
        self.file.functions.push(span.end().line - span.start().line + 1);
    }
}

impl<'ast> Visit<'ast> for Collector<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        match item {
            Item::Struct(it) => self.take_type(&it.ident, &it.vis),
            Item::Enum(it) => self.take_type(&it.ident, &it.vis),
            Item::Trait(it) => self.take_type(&it.ident, &it.vis),
            Item::Type(it) => self.take_type(&it.ident, &it.vis),
            _ => {}
        }
        visit::visit_item(self, item);
    }

    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        if !is_for_tests(&module.attrs) {
            visit::visit_item_mod(self, module);
        }
    }

    fn visit_item_fn(&mut self, function: &'ast ItemFn) {
        if !is_for_tests(&function.attrs) {
            self.take_function(function);
            visit::visit_item_fn(self, function);
        }
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        self.take_function(function);
        visit::visit_impl_item_fn(self, function);
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        let exported = !matches!(item.vis, Visibility::Inherited);
        self.take_use(&item.tree, &[], exported);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let parts: Vec<String> = path.segments.iter().map(|part| part.ident.to_string()).collect();
        if parts.len() > 1 {
            self.take_path(&parts, None);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.take_tokens(call.tokens.clone());
        visit::visit_macro(self, call);
    }
}

impl SourceTree {
    /// Reads and parses `src/`.
    pub fn read() -> Self {
        let paths = source_files();
        let children: BTreeSet<String> =
            paths.iter().map(|path| module_of(&below_src(path)).join("::")).collect();
        let files = paths.iter().filter(|path| !path.ends_with("main.rs")).map(|path| {
            let text = fs::read_to_string(path).expect("a readable source");
            let file = parse(&below_src(path), &text, &children);
            (file.module.join("::"), file)
        });
        Self { files: files.collect() }
    }

    /// The file that a path leads to, through re-exports.
    fn resolve(&self, path: &[String], depth: usize) -> Option<&SourceFile> {
        (1..=path.len()).rev().find_map(|length| {
            let file = self.files.get(&path[..length].join("::"))?;
            let exported = path.get(length).and_then(|name| file.exports.get(name));
            match exported.filter(|_| depth < 8) {
                Some(real) => self.resolve(&[real, &path[length + 1..]].concat(), depth + 1),
                None => Some(file),
            }
        })
    }

    /// The files that a file imports. A folder's `mod.rs` and the files below it do not count for each
    /// other: the one declares the others.
    pub fn imports(&self, file: &SourceFile) -> BTreeSet<String> {
        let found = file.names.iter().filter_map(|path| self.resolve(path, 0));
        let others = found.filter(|other| {
            !other.module.starts_with(&file.module) && !file.module.starts_with(&other.module)
        });
        others.map(|other| other.module.join("::")).collect()
    }

    /// Sets of files that import each other in a circle.
    pub fn circles(&self) -> Vec<Vec<String>> {
        let imports: BTreeMap<&String, BTreeSet<String>> =
            self.files.iter().map(|(name, file)| (name, self.imports(file))).collect();
        let reach = |from: &String| {
            let mut seen = BTreeSet::new();
            let mut open = vec![from.clone()];
            while let Some(at) = open.pop() {
                for next in imports.get(&at).into_iter().flatten() {
                    if seen.insert(next.clone()) {
                        open.push(next.clone());
                    }
                }
            }
            seen
        };
        let reached: BTreeMap<&String, BTreeSet<String>> =
            self.files.keys().map(|name| (name, reach(name))).collect();
        let mut circles = BTreeSet::new();
        for (name, all) in &reached {
            if all.contains(*name) {
                let back = |other: &&String| reached[*other].contains(*name);
                circles.insert(all.iter().filter(back).cloned().collect::<Vec<_>>());
            }
        }
        circles.into_iter().collect()
    }
}

/// Parses one file. `children` are the paths of all modules.
pub fn parse(path: &Path, text: &str, children: &BTreeSet<String>) -> SourceFile {
    let module = module_of(path);
    let parsed = syn::parse_file(text).expect("a source that parses");
    let mut collector = Collector {
        module: &module,
        children,
        file: SourceFile {
            path: path.to_path_buf(),
            module: module.clone(),
            lines: text.lines().count(),
            public_types: Vec::new(),
            types: Vec::new(),
            functions: Vec::new(),
            names: Vec::new(),
            exports: BTreeMap::new(),
        },
    };
    collector.visit_file(&parsed);
    collector.file
}
