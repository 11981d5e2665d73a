/// The modules that an image takes from a kernel package: those asked for and all that they depend on.
package struct ModuleSet: Sendable {
    /// In byte order of their paths.
    package let modules: [KernelModule]

    /// - Parameters:
    ///   - wanted: module names, `-` and `_` alike.
    ///   - builtIn: names of what the kernel has inside it, which needs no file.
    ///   - paths: where each module of the kernel package lies below `/lib/modules/RELEASE`, by canonical name.
    ///   - load: reads the module at such a path.
    package init(
        wanted: [String], builtIn: Set<String>, paths: [String: String],
        load: (String) throws(ImageError) -> KernelModule
    ) throws(ImageError) {
        var taken: [String: KernelModule] = [:]
        var queue = wanted.map { (name: KernelModule.canonicalName($0), for: "modules.txt") }
        while let (name, asker) = queue.popLast() {
            if taken[name] != nil || builtIn.contains(name) { continue }
            guard let path = paths[name] else {
                throw ImageError(
                    .contentMissing, "the kernel package has no module \(name), which \(asker) asks for",
                    nextStep: "Correct modules.txt, or choose a kernel package that has it")
            }
            let module = try load(path)
            taken[name] = module
            queue += module.dependencies.map { (KernelModule.canonicalName($0), for: "the module \(name)") }
        }
        modules = taken.values.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    }

    /// The file `modules.dep`, as depmod writes it: each module with all that must be loaded before it, last first.
    package var dependencyTable: String {
        let byName = Dictionary(uniqueKeysWithValues: modules.map { ($0.name, $0) })
        var text = ""
        for module in modules {
            var order: [KernelModule] = []
            var seen: Set<String> = []
            Self.visit(module, byName, &seen, &order)
            text += "\(module.path):"
            for prerequisite in order.dropLast().reversed() { text += " \(prerequisite.path)" }
            text += "\n"
        }
        return text
    }

    /// The file `modules.alias`.
    package var aliasTable: String {
        var text = ""
        for module in modules {
            for alias in module.aliases { text += "alias \(alias) \(module.name)\n" }
        }
        return text
    }

    /// Prerequisites first, each once; the module itself comes last. Soft dependencies may form a circle, which ends
    /// where it meets itself.
    private static func visit(
        _ module: KernelModule, _ byName: [String: KernelModule], _ seen: inout Set<String>,
        _ order: inout [KernelModule]
    ) {
        guard seen.insert(module.name).inserted else { return }
        for name in module.dependencies {
            if let prerequisite = byName[name] { visit(prerequisite, byName, &seen, &order) }
        }
        order.append(module)
    }
}
