package import SalvorCoordinatorCore
import SalvorQEMU
internal import SalvorSystem
package import SystemPackage

/// A folder of YAML files, one machine each.
package struct Inventory: Hashable, Sendable {
    package let folder: FilePath

    /// - Parameter folder: made absolute against the working folder, because QEMU works in another.
    package init(folder: FilePath) {
        self.folder = folder.isAbsolute ? folder : WorkingFolder.path.pushing(folder).lexicallyNormalized()
    }

    /// All machines, sorted by name.
    /// - Throws: the first mistake, when any file has one.
    package func definitions() async throws(ProviderError) -> [MachineDefinition] {
        let (definitions, mistakes) = try await load()
        if let mistake = mistakes.first { throw mistake.providerError }
        return definitions
    }

    /// - Throws: ``ProviderError/Code/notFound`` with names that come close. A mistake in another machine's file stands in
    ///   nobody's way, unless the machine may be in that file.
    package func definition(named name: String) async throws(ProviderError) -> MachineDefinition {
        let (definitions, mistakes) = try await load()
        let found = definitions.filter { $0.name == name }
        if let second = found.dropFirst().first {
            throw YAMLMistake(
                file: second.file.string, line: 1, column: 1, found: "a second machine “\(name)”",
                expected: "a name of its own: \(found[0].file) has it"
            ).providerError
        }
        if let definition = found.first { return definition }
        if let mistake = mistakes.first { throw mistake.providerError }
        let close = Spelling.candidates(for: name, among: definitions.map(\.name)).prefix(3)
        let hint = close.isEmpty ? "" : " Did you mean \(close.joined(separator: " or "))?"
        throw ProviderError(
            .notFound, "There is no machine “\(name)” among the \(definitions.count) in \(folder).\(hint)",
            nextStep: "Name one of the machines there, or another folder with --inventory.")
    }

    private func load() async throws(ProviderError) -> ([MachineDefinition], [YAMLMistake]) {
        let folder = folder
        guard await Blocking.run({ PosixFile.exists(folder) }) else {
            throw ProviderError(
                .notFound, "There is no inventory folder \(folder).",
                nextStep: "Make it, with one YAML file for each machine, or name another with --inventory.")
        }
        return await Blocking.run { Self.read(folder) }
    }

    private static func read(_ folder: FilePath) -> ([MachineDefinition], [YAMLMistake]) {
        var definitions: [MachineDefinition] = []
        var mistakes: [YAMLMistake] = []
        for name in PosixFile.names(in: folder) where isDefinition(name) {
            do throws(YAMLMistake) {
                definitions.append(try DefinitionFile(path: folder.appending(name)).read())
            } catch {
                mistakes.append(error)
            }
        }
        definitions.sort { ($0.name, $0.file.string) < ($1.name, $1.file.string) }
        for (one, other) in zip(definitions, definitions.dropFirst()) where one.name == other.name {
            mistakes.append(
                YAMLMistake(
                    file: other.file.string, line: 1, column: 1, found: "a second machine “\(other.name)”",
                    expected: "a name of its own: \(one.file) has it"))
        }
        return (definitions, mistakes)
    }

    /// Hidden files are an editor's, or a rewrite that was interrupted.
    private static func isDefinition(_ name: String) -> Bool {
        !name.hasPrefix(".") && (name.hasSuffix(".yaml") || name.hasSuffix(".yml"))
    }
}
