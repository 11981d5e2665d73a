internal import FoundationEssentials
internal import SalvorDigest
internal import SalvorMessages
internal import SalvorSystem
internal import SwiftProtobuf

/// Where the new content of a file comes from.
enum ContentSource: Sendable {
    case recipe(Salvor_V1_NewContent)
    /// An entry of a quarantine that was brought back.
    case quarantine(id: String, index: Int, entry: Salvor_V1_QuarantineEntry)
}

/// Prepares what is to be written on one mounted volume, before anything is written.
struct ContentMaker: Sendable {
    let mounter: VolumeMounter
    let store: QuarantineStore
    let mounted: MountedVolume

    /// Prepares each file's content. What is there already is kept as corrected, and what cannot be made is kept, and the
    /// finding says why.
    /// - Throws: ``AgentError/Code/toolTimedOut``, ``AgentError/Code/cancelled``, ….
    func prepare(_ files: inout [MatchedFile]) async throws(AgentError) {
        for index in files.indices where files[index].isToWrite {
            guard let source = files[index].content else { continue }
            try await prepare(&files[index], source)
        }
    }

    private func prepare(_ file: inout MatchedFile, _ source: ContentSource) async throws(AgentError) {
        switch try await make(source, for: file) {
        case .success(let content?):
            guard file.isMissing || !file.finding.sha256.elementsEqual(content.digest.bytes) else {
                return file.keep(.corrected, "It holds what it should.")
            }
            file.prepared = content
            file.finding.resultBytes = content.sizeBytes
            file.finding.resultSha256 = .init(content.digest.bytes)
            file.finding.changes = content.changes
            if !content.changes.isEmpty { file.finding.reason += " " + content.changes.joined(separator: " ") }
        case .success(nil): file.keep(.corrected, "It is as the recipe wants it.")
        case .failure(let why):
            file.keep(file.finding.verdict, "\(file.finding.reason) It cannot be mended: \(why.text)")
        }
    }

    private struct Problem: Error {
        let text: String
    }

    /// - Returns: nothing where the file is as it should be.
    private func make(
        _ source: ContentSource, for file: MatchedFile
    ) async throws(AgentError) -> Result<PreparedContent?, Problem> {
        if !file.isMissing {
            let path = file.path
            let names = try await mounted.files { (tree) throws(AgentError) in
                try FileMetadata.nameCount(of: try tree.openFile(path), at: tree.path(path))
            }
            // Written in place, it would change under names that the recipe does not mean: WinSxS's above all.
            guard names == 1 else {
                return .failure(Problem(text: "it has \(names) names, and would change under all."))
            }
        }
        switch source {
        case .recipe(let content):
            switch content.source {
            case .bytes(let bytes): return .success(try PreparedContent(Array(bytes), changes: []))
            case .copyOf(let path): return try await copy(of: path.components)
            case .repairedHive, .editedHive, .safeBoot: return try await hive(content, of: file)
            case nil: return .failure(Problem(text: "the recipe does not say with what."))
            }
        case .quarantine(let id, let index, let entry):
            let store = store
            return try await Blocking.run { () throws(AgentError) in
                var reader = try store.content(of: id, at: index)
                let memory = try MemoryFile()
                while let chunk = try reader.next() { try memory.descriptor.write(chunk, to: id) }
                let content = try PreparedContent(memory, changes: [])
                guard content.digest.bytes.elementsEqual(entry.sha256) else {
                    throw .quarantineDamaged(id, "the content of \(windowsPath(entry.path)) is not what was stored")
                }
                return .success(content)
            }
        }
    }

    private func copy(of components: [String]) async throws(AgentError) -> Result<PreparedContent?, Problem> {
        let path = windowsPath(components)
        return try await mounted.files { (tree) throws(AgentError) in
            var resolver = PathResolver(tree)
            guard let found = try resolver.resolve(components), let name = found.last,
                case .file(let size, _) = try tree.kind(of: name, in: found.dropLast())
            else { return .failure(Problem(text: "there is no file \(path) to take its place.")) }
            guard size > 0, size <= PreparedContent.largest else {
                return .failure(Problem(text: "\(path), which would take its place, has \(size) bytes."))
            }
            var reader = ContentReader(try tree.openFile(found), name: path)
            let memory = try MemoryFile()
            while let chunk = try reader.next() { try memory.descriptor.write(chunk, to: path) }
            return .success(try PreparedContent(memory, changes: ["\(path) takes its place."]))
        }
    }

    private func hive(
        _ content: Salvor_V1_NewContent, of file: MatchedFile
    ) async throws(AgentError) -> Result<PreparedContent?, Problem> {
        guard let reader = mounter.tools.registryReader else {
            return .failure(Problem(text: "this agent edits no registry."))
        }
        let task = Salvor_V1_HiveTask.with {
            $0.path = file.path.map { .init($0.bytes) }
            $0.content = content
        }
        let answer = try await RegistryReading.makeHive(task, by: reader, below: mounted.mountPoint)
        guard answer.result.problem.isEmpty else { return .failure(Problem(text: answer.result.problem)) }
        return .success(answer.content)
    }
}

extension MatchedFile {
    mutating func keep(_ verdict: Salvor_V1_Verdict, _ reason: String) {
        finding.verdict = verdict
        finding.reason = reason
        finding.action = .keep
        prepared = nil
    }
}
