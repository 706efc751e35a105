//! Lets the page have functions compiled before they are needed.
//!
//! V8 compiles a function of WebAssembly when it is called for the first time. Between the click on join and the first picture a
//! page calls a thousand functions for the first time, which took a third of that time (`docs/results/start.md`), and a page cannot
//! ask for them earlier. So each function of these modules returns at once while a global of its module is 1. The module exports
//! functions that set this global and call the others, and the script calls these while the page has nothing to do.

use std::ops::Range;

use anyhow::{Context, Result, ensure};
use wasm_encoder::{
    BlockType, CodeSection, ConstExpr, Encode, ExportKind, ExportSection, Function, FunctionSection,
    GlobalSection, GlobalType, Instruction, RawSection, SectionId, TypeSection, ValType,
    reencode::{Reencode, RoundtripReencoder},
};
use wasmparser::{FuncType, FunctionBody, Parser, Payload, TypeRef};

/// How the names of the exported functions begin.
pub(super) const EXPORT: &str = "ahead";

/// The bytes of functions that one exported function has compiled. The page can do other work after each.
const BATCH_BYTES: usize = 8 * 1024;

/// Smaller functions stay as they are: compiling them takes a few microseconds, and they are so many that the guards weigh more.
const SMALLEST_BYTES: usize = 16;

/// The ids of the sections in the order of the binary format. Sections with names and the like are left out.
const ORDER: [u8; 13] = [1, 2, 3, 4, 5, 13, 6, 7, 8, 9, 12, 10, 11];

/// The same module, with functions that have the others compiled.
///
/// # Errors
/// Where the module cannot be read, or has no function of its own.
pub(super) fn compilable(bytes: &[u8]) -> Result<Vec<u8>> {
    let module = Module::read(bytes)?;
    let mut code = CodeSection::new();
    let mut batches = vec![Batch::default()];
    for (index, body) in module.bodies.iter().enumerate() {
        let ty = module.type_of(index)?;
        let original = part(bytes, body.range())?;
        let (Some(results), Some(arguments), SMALLEST_BYTES..) =
            (zeros(ty.results())?, zeros(ty.params())?, original.len())
        else {
            code.raw(original);
            continue;
        };
        code.raw(&guarded(bytes, body, module.globals(), &results)?);
        if batches.last().is_some_and(|batch| batch.bytes >= BATCH_BYTES) {
            batches.push(Batch::default());
        }
        let batch = batches.last_mut().context("no batch")?;
        batch.bytes += original.len();
        batch.calls.extend(arguments);
        batch.calls.push(Instruction::Call(module.imported_functions + u32::try_from(index)?));
        batch.calls.extend(ty.results().iter().map(|_| Instruction::Drop));
    }
    for batch in &batches {
        code.function(&batch.function(module.globals()));
    }
    module.with(&code, &batches)
}

/// The body of a function, which returns `results` while the global is 1.
fn guarded(
    bytes: &[u8],
    body: &FunctionBody<'_>,
    global: u32,
    results: &[Instruction<'_>],
) -> Result<Vec<u8>> {
    let range = body.range();
    let begin = body.get_operators_reader()?.original_position();
    let mut guarded = part(bytes, range.start..begin)?.to_vec();
    Instruction::GlobalGet(global).encode(&mut guarded);
    Instruction::If(BlockType::Empty).encode(&mut guarded);
    results.iter().for_each(|result| result.encode(&mut guarded));
    Instruction::Return.encode(&mut guarded);
    Instruction::End.encode(&mut guarded);
    guarded.extend_from_slice(part(bytes, begin..range.end)?);
    Ok(guarded)
}

fn part(bytes: &[u8], range: Range<u64>) -> Result<&[u8]> {
    bytes.get(usize::try_from(range.start)?..usize::try_from(range.end)?).context("a section ends too early")
}

/// Functions that are compiled together.
#[derive(Default)]
struct Batch {
    bytes: usize,
    calls: Vec<Instruction<'static>>,
}

impl Batch {
    fn function(&self, global: u32) -> Function {
        let mut function = Function::new([]);
        function.instruction(&Instruction::I32Const(1)).instruction(&Instruction::GlobalSet(global));
        for call in &self.calls {
            function.instruction(call);
        }
        function.instruction(&Instruction::I32Const(0)).instruction(&Instruction::GlobalSet(global));
        function.instruction(&Instruction::End);
        function
    }
}

/// A zero of each type; `None` where a type has none.
fn zeros(types: &[wasmparser::ValType]) -> Result<Option<Vec<Instruction<'static>>>> {
    let mut zeros = Vec::new();
    for ty in types {
        zeros.push(match RoundtripReencoder.val_type(*ty)? {
            ValType::I32 => Instruction::I32Const(0),
            ValType::I64 => Instruction::I64Const(0),
            ValType::F32 => Instruction::F32Const(0.0.into()),
            ValType::F64 => Instruction::F64Const(0.0.into()),
            ValType::Ref(ty) if ty.nullable => Instruction::RefNull(ty.heap_type),
            ValType::V128 | ValType::Ref(_) => return Ok(None),
        });
    }
    Ok(Some(zeros))
}

/// What has to be known of a module.
struct Module<'a> {
    sections: Vec<Payload<'a>>,
    bytes: &'a [u8],
    types: Vec<FuncType>,
    imported_functions: u32,
    /// The types of the functions that are not imported.
    functions: Vec<u32>,
    imported_globals: u32,
    own_globals: u32,
    bodies: Vec<FunctionBody<'a>>,
}

impl<'a> Module<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self> {
        let mut module = Self {
            sections: Vec::new(),
            bytes,
            types: Vec::new(),
            imported_functions: 0,
            functions: Vec::new(),
            imported_globals: 0,
            own_globals: 0,
            bodies: Vec::new(),
        };
        for payload in Parser::new(0).parse_all(bytes) {
            let payload = payload?;
            match &payload {
                Payload::TypeSection(section) => {
                    for ty in section.clone().into_iter_err_on_gc_types() {
                        module.types.push(ty?);
                    }
                }
                Payload::ImportSection(section) => {
                    for import in section.clone().into_imports() {
                        match import?.ty {
                            TypeRef::Func(_) => module.imported_functions += 1,
                            TypeRef::Global(_) => module.imported_globals += 1,
                            _ => {}
                        }
                    }
                }
                Payload::FunctionSection(section) => {
                    for ty in section.clone() {
                        module.functions.push(ty?);
                    }
                }
                Payload::GlobalSection(section) => module.own_globals = section.count(),
                Payload::CodeSectionEntry(body) => module.bodies.push(body.clone()),
                _ => {}
            }
            module.sections.push(payload);
        }
        ensure!(!module.bodies.is_empty(), "the module has no functions to compile ahead");
        Ok(module)
    }

    /// The number of globals, which is the index of the next one.
    fn globals(&self) -> u32 {
        self.imported_globals + self.own_globals
    }

    fn type_of(&self, function: usize) -> Result<&FuncType> {
        let ty = self.functions.get(function).context("a body without a function")?;
        self.types.get(usize::try_from(*ty)?).context("a function without a type")
    }

    /// The module with other code, the global, and the batches under their names.
    fn with(&self, code: &CodeSection, batches: &[Batch]) -> Result<Vec<u8>> {
        let mut reencoder = RoundtripReencoder;
        let (mut types, mut functions) = (TypeSection::new(), FunctionSection::new());
        let (mut globals, mut exports) = (GlobalSection::new(), ExportSection::new());
        for section in &self.sections {
            match section {
                Payload::TypeSection(section) => reencoder.parse_type_section(&mut types, section.clone())?,
                Payload::FunctionSection(section) => {
                    reencoder.parse_function_section(&mut functions, section.clone())?;
                }
                Payload::GlobalSection(section) => {
                    reencoder.parse_global_section(&mut globals, section.clone())?;
                }
                Payload::ExportSection(section) => {
                    reencoder.parse_export_section(&mut exports, section.clone())?;
                }
                _ => {}
            }
        }
        let own = u32::try_from(self.functions.len())?;
        let batch_type = types.len();
        types.ty().function([], []);
        for (index, _) in (0..).zip(batches) {
            functions.function(batch_type);
            let function = self.imported_functions + own + index;
            exports.export(&format!("{EXPORT}{index}"), ExportKind::Func, function);
        }
        let ty = GlobalType { val_type: ValType::I32, mutable: true, shared: false };
        globals.global(ty, &ConstExpr::i32_const(0));

        let mut module = wasm_encoder::Module::new();
        for id in ORDER {
            match id {
                id if id == SectionId::Type as u8 => module.section(&types),
                id if id == SectionId::Function as u8 => module.section(&functions),
                id if id == SectionId::Global as u8 => module.section(&globals),
                id if id == SectionId::Export as u8 => module.section(&exports),
                id if id == SectionId::Code as u8 => module.section(code),
                id => self.copy(&mut module, id)?,
            };
        }
        Ok(module.finish())
    }

    /// Copies the section with this id, if there is one.
    fn copy<'m>(&self, module: &'m mut wasm_encoder::Module, id: u8) -> Result<&'m mut wasm_encoder::Module> {
        for (found, range) in self.sections.iter().filter_map(Payload::as_section) {
            if found == id {
                module.section(&RawSection { id, data: part(self.bytes, range)? });
            }
        }
        Ok(module)
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use wasm_encoder::Module;

    use super::*;

    /// A module whose function `set` stores its argument in the exported global `value` and returns it, and whose function `sum` gives
    /// the sum of that global and the argument.
    fn module_with_a_value() -> Vec<u8> {
        let mut types = TypeSection::new();
        types.ty().function([ValType::I32], [ValType::I32]);
        let mut functions = FunctionSection::new();
        functions.function(0).function(0);
        let mut globals = GlobalSection::new();
        let ty = GlobalType { val_type: ValType::I32, mutable: true, shared: false };
        globals.global(ty, &ConstExpr::i32_const(7));
        let mut exports = ExportSection::new();
        exports.export("set", ExportKind::Func, 0).export("sum", ExportKind::Func, 1);
        exports.export("value", ExportKind::Global, 0);
        let body = |instructions: &[Instruction<'_>]| {
            let mut function = Function::new([(1, ValType::I64)]);
            let padding = [const { Instruction::Nop }; SMALLEST_BYTES];
            for instruction in padding.iter().chain(instructions) {
                function.instruction(instruction);
            }
            function
        };
        let (argument, value) = (Instruction::LocalGet(0), Instruction::GlobalGet(0));
        let mut code = CodeSection::new();
        code.function(&body(&[
            argument.clone(),
            Instruction::GlobalSet(0),
            argument.clone(),
            Instruction::End,
        ]));
        code.function(&body(&[argument, value, Instruction::I32Add, Instruction::End]));
        let mut module = Module::new();
        module.section(&types).section(&functions).section(&globals).section(&exports).section(&code);
        module.finish()
    }

    /// Runs a script with the instance of a module as `it`, and returns what it prints.
    fn run(module: &[u8], script: &str) -> String {
        let bytes: Vec<_> = module.iter().map(ToString::to_string).collect();
        let bytes = bytes.join(",");
        let script = format!(
            "const module = new WebAssembly.Module(new Uint8Array([{bytes}]));
             const it = new WebAssembly.Instance(module).exports;
             {script}"
        );
        let output = Command::new("node").args(["-e", &script]).output().expect("node, which the tools need");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    #[test]
    fn functions_that_are_compiled_ahead_do_nothing_meanwhile_and_work_afterwards() {
        let compilable = compilable(&module_with_a_value()).unwrap();
        let printed = run(
            &compilable,
            "const ahead = Object.keys(it).filter((name) => name.startsWith('ahead'));
             const early = [it.sum(1), it.value.value];
             for (const name of ahead) it[name]();
             const kept = it.value.value;
             console.log(ahead.length, early, kept, it.set(5), it.value.value, it.sum(10));",
        );
        assert_eq!(printed, "1 [ 8, 7 ] 7 5 5 15");
    }

    #[test]
    fn small_functions_stay_as_they_are_and_large_ones_are_compiled_in_batches() {
        let mut types = TypeSection::new();
        types.ty().function([], []);
        let (mut functions, mut code) = (FunctionSection::new(), CodeSection::new());
        for bytes in [2, BATCH_BYTES, SMALLEST_BYTES, BATCH_BYTES] {
            functions.function(0);
            let mut function = Function::new([]);
            // A body has the number of its locals, too.
            (2..bytes).for_each(|_| _ = function.instruction(&Instruction::Nop));
            function.instruction(&Instruction::End);
            code.function(&function);
        }
        let mut module = Module::new();
        module.section(&types).section(&functions).section(&code);
        let original = module.finish();
        let compilable = compilable(&original).unwrap();
        assert_eq!(run(&compilable, "console.log(Object.keys(it).join())"), "ahead0,ahead1");
        let bodies = |bytes: &[u8]| {
            let module = super::Module::read(bytes).unwrap();
            module.bodies.iter().map(|body| body.range().end - body.range().start).collect::<Vec<_>>()
        };
        let (before, after) = (bodies(&original), bodies(&compilable));
        let grown: Vec<_> = before.iter().zip(&after).map(|(before, after)| after - before).collect();
        assert_eq!(grown, [0, 6, 6, 6]);
    }

    #[test]
    fn a_file_that_is_no_module_and_a_module_without_functions_are_refused() {
        assert!(compilable(b"<!doctype html>").is_err());
        let refused = compilable(&Module::new().finish()).unwrap_err();
        assert!(refused.to_string().contains("no functions"), "{refused}");
    }
}
