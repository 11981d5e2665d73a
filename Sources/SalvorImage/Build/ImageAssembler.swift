internal import SystemPackage

/// Picks an image's files from unpacked packages, a recipe and an agent.
struct ImageAssembler {
    private let tree: PackageTree
    private var archive = CPIOArchive()
    /// Names of libraries that are in the archive.
    private var libraries: Set<String> = []

    /// Debian's multiarch folder; the loader searches it without a cache.
    private static let libraryFolder = "/usr/lib/x86_64-linux-gnu"
    private static let busybox = "/usr/bin/busybox"

    private struct Kernel {
        var release: String
        var image: FilePath
    }

    init(tree: PackageTree) { self.tree = tree }

    /// - Parameter agent: the bytes of the program that the recipe's `agent` line places.
    static func assemble(
        _ recipe: ImageRecipe, tree: PackageTree, agent: [UInt8]?
    ) throws(ImageError) -> (kernel: [UInt8], initramfs: [UInt8], release: String) {
        var assembler = ImageAssembler(tree: tree)
        for folder in PackageTree.mergedFolders { assembler.archive.addLink("/\(folder)", to: "usr/\(folder)") }
        for item in recipe.items { try assembler.add(item, agent: agent) }
        let kernel = try assembler.kernel()
        try assembler.addModules(recipe.modules, release: kernel.release)
        return (try Posix.read(kernel.image), assembler.archive.serialized(), kernel.release)
    }

    private mutating func add(_ item: ImageRecipe.Item, agent: [UInt8]?) throws(ImageError) {
        switch item {
        case .file(let path):
            guard let host = tree.file(path) else { throw Self.missing("file \(path)", "files.txt") }
            try addProgram(PackageTree.merged(path), try Posix.read(host))
        case .local(let bytes, let path, let permissions):
            archive.addFile(PackageTree.merged(path), bytes, permissions: permissions)
        case .agent(let path):
            guard let agent else { throw ImageBuilder.agentMissing(nil) }
            try addProgram(PackageTree.merged(path), agent)
        case .directory(let path, let permissions):
            archive.addDirectory(PackageTree.merged(path), permissions: permissions)
        case .link(let path, let target):
            archive.addLink(PackageTree.merged(path), to: target)
        case .applets(let names):
            for name in names { archive.addLink("/usr/bin/\(name)", to: "busybox") }
        }
    }

    /// Adds a program or library, its loader and, in turn, all the libraries that they name.
    private mutating func addProgram(_ path: String, _ bytes: [UInt8]) throws(ImageError) {
        archive.addFile(path, bytes, permissions: 0o755)
        guard let file = ELFFile(bytes) else { return }
        if let interpreter = file.interpreter, !archive.contains(PackageTree.merged(interpreter)) {
            guard let host = tree.file(interpreter) else { throw Self.missing("loader \(interpreter)", path) }
            archive.addFile(PackageTree.merged(interpreter), try Posix.read(host), permissions: 0o755)
        }
        for name in file.neededLibraries where libraries.insert(name).inserted {
            // The loader itself is where the programs look for it.
            if name.hasPrefix("ld-linux") { continue }
            guard let host = tree.file("\(Self.libraryFolder)/\(name)") ?? tree.file("/usr/lib/\(name)") else {
                throw Self.missing("shared library \(name)", path)
            }
            try addProgram("\(Self.libraryFolder)/\(name)", try Posix.read(host))
        }
    }

    private func kernel() throws(ImageError) -> Kernel {
        let prefix = "/boot/vmlinuz-"
        let images = tree.paths.filter { $0.hasPrefix(prefix) }
        guard images.count == 1, let image = images.first, let host = tree.file(image) else {
            throw ImageError(
                .contentMissing, "the packages hold \(images.count) kernels instead of one",
                nextStep: "Name exactly one kernel package in packages.txt of the image recipe")
        }
        return Kernel(release: String(image.dropFirst(prefix.count)), image: host)
    }

    private mutating func addModules(_ wanted: [String], release: String) throws(ImageError) {
        let folder = "/usr/lib/modules/\(release)/"
        var paths: [String: String] = [:]
        for path in tree.paths where path.hasPrefix(folder) && path.hasSuffix(".ko") {
            let below = String(path.dropFirst(folder.count))
            guard let name = below.split(separator: "/").last?.dropLast(3) else { continue }
            paths[KernelModule.canonicalName(name)] = below
        }
        let builtIn = try text(folder + "modules.builtin").split(separator: "\n").compactMap { line in
            line.split(separator: "/").last.map { KernelModule.canonicalName($0.dropLast(3)) }
        }
        var contents: [String: [UInt8]] = [:]
        let set = try ModuleSet(wanted: wanted, builtIn: Set(builtIn), paths: paths) { path throws(ImageError) in
            guard let host = tree.file(folder + path) else { throw Self.missing("module \(path)", "modules.txt") }
            let bytes = try Posix.read(host)
            contents[path] = bytes
            guard let module = KernelModule(path: path, bytes: bytes) else {
                throw ImageError(
                    .contentMissing, "\(path) of kernel \(release) is no kernel module that can be read",
                    nextStep: "Choose a kernel package with uncompressed modules")
            }
            return module
        }
        for module in set.modules {
            archive.addFile(folder + module.path, contents[module.path] ?? [], permissions: 0o644)
        }
        archive.addFile(folder + "modules.dep", Array(set.dependencyTable.utf8), permissions: 0o644)
        archive.addFile(folder + "modules.alias", Array(set.aliasTable.utf8), permissions: 0o644)
        archive.addFile(
            folder + "modules.builtin", Array(try text(folder + "modules.builtin").utf8), permissions: 0o644)
    }

    private func text(_ path: String) throws(ImageError) -> String {
        guard let host = tree.file(path) else { throw Self.missing("file \(path)", "every kernel package") }
        return String(decoding: try Posix.read(host), as: UTF8.self)
    }

    private static func missing(_ what: String, _ asker: String) -> ImageError {
        ImageError(
            .contentMissing, "the \(what), which \(asker) asks for, is in none of the image's packages",
            nextStep: "Add the package that has it to packages.txt of the image recipe")
    }
}
