internal import SalvorDigest
internal import SalvorSystem
package import SystemPackage

/// Makes bootable images from Debian packages, without root.
///
/// The same recipe, packages and agent give the same bytes. Images and packages are kept in a cache folder, which may
/// be shared by builds that run at the same time and may be removed at any time.
package struct ImageBuilder: Sendable {
    package let recipe: ImageRecipe
    package let cacheDirectory: FilePath
    let tools: ToolRunner

    /// Where images are kept unless somebody says otherwise: `$XDG_CACHE_HOME/salvor`, or `~/.cache/salvor`.
    package static var defaultCacheDirectory: FilePath {
        if let cache = Posix.environment("XDG_CACHE_HOME"), cache.hasPrefix("/") {
            return FilePath(cache).appending("salvor")
        }
        return FilePath(Posix.environment("HOME") ?? "/").appending(".cache").appending("salvor")
    }

    /// Renewed when the same inputs begin to give other bytes.
    private static let format = "salvor-image 1"

    package init(recipe: ImageRecipe, cacheDirectory: FilePath, tools: ToolRunner = ToolRunner()) {
        self.recipe = recipe
        self.cacheDirectory = cacheDirectory
        self.tools = tools
    }

    /// The image that was last built from this recipe and agent, if it is whole. apt is not asked.
    /// - Parameter agent: the agent binary; nil for a recipe without one.
    package func cached(agent: FilePath?) async throws(ImageError) -> RescueImage? {
        let (recipe, store) = (recipe, store)
        return try await Blocking.run { () throws(ImageError) in
            store.newest(Self.key(recipe, try Self.digest(of: agent, for: recipe)))
        }
    }

    /// The image of this recipe and agent with the newest packages that apt knows; built only if it is not there.
    ///
    /// The network is needed only for packages that are not in the cache.
    package func build(
        agent: FilePath?, progress: @escaping @Sendable (ImageProgress) -> Void = { _ in }
    ) async throws(ImageError) -> RescueImage {
        let recipe = recipe
        let store = store
        let agentDigest = try await Blocking.run { () throws(ImageError) in
            try Self.digest(of: agent, for: recipe)
        }
        try Posix.makeDirectories(store.directory)
        try Posix.makeDirectories(packageDirectory)
        let source = PackageSource(directory: packageDirectory, tools: tools)
        progress(.resolvingPackages)
        let packages = try await source.resolve(recipe.packages)

        let key = Self.key(recipe, agentDigest)
        let digest = Self.digest(key, packages)
        let existing = try await Blocking.run { () throws(ImageError) in store.image(digest) }
        if let existing {
            try store.markNewest(digest, key: key)
            progress(.alreadyBuilt)
            return existing
        }

        let files = try await source.fetch(packages) { progress(.downloading($0)) }
        let scratch = try Posix.makeTemporaryDirectory(in: cacheDirectory, prefix: ".unpack-")
        do throws(ImageError) {
            progress(.unpacking(count: files.count))
            let roots = try await unpack(files, in: scratch)
            let agentBytes = try await strippedAgent(agent, in: scratch)
            progress(.assembling)
            let image = try await Blocking.run { () throws(ImageError) in
                defer { Posix.removeTree(scratch) }
                let tree = try PackageTree(roots: roots)
                let parts = try ImageAssembler.assemble(recipe, tree: tree, agent: agentBytes)
                return try store.store(
                    digest: digest, key: key, kernel: parts.kernel, initramfs: parts.initramfs,
                    release: parts.release, packages: packages)
            }
            return image
        } catch {
            Posix.removeTree(scratch)
            throw error
        }
    }

    private var packageDirectory: FilePath { cacheDirectory.appending("packages") }
    private var store: ImageStore { ImageStore(directory: cacheDirectory.appending("images")) }

    private func unpack(_ files: [FilePath], in scratch: FilePath) async throws(ImageError) -> [FilePath] {
        var roots: [FilePath] = []
        for (index, file) in files.enumerated() {
            let root = scratch.appending("package-\(index)")
            let result = try await tools.result("dpkg-deb", ["-x", file.string, root.string])
            guard result.status == 0 else {
                let failure = ToolRunner.failure(of: "dpkg-deb", ["-x", file.string], result)
                if failure.code == .diskFull { throw failure }
                throw ImageError(
                    .packageDamaged, "\(file) cannot be unpacked: \(failure.message)",
                    nextStep: "Remove it from the cache and build again", cause: failure)
            }
            roots.append(root)
        }
        return roots
    }

    /// The agent without its symbols, which are two thirds of it. A script, as tests use one, stays as it is.
    private func strippedAgent(_ agent: FilePath?, in scratch: FilePath) async throws(ImageError) -> [UInt8]? {
        guard let agent, recipe.needsAgent else { return nil }
        let original = try await Blocking.run { () throws(ImageError) in try Posix.read(agent) }
        guard ELFFile(original) != nil else { return original }
        let stripped = scratch.appending("agent")
        try await tools.output("strip", ["--strip-all", "-o", stripped.string, agent.string])
        return try await Blocking.run { () throws(ImageError) in try Posix.read(stripped) }
    }

    private static func digest(of agent: FilePath?, for recipe: ImageRecipe) throws(ImageError) -> Digest? {
        guard recipe.needsAgent else { return nil }
        guard let agent, Posix.sizeAndModification(agent) != nil, !Posix.isDirectory(agent) else {
            throw agentMissing(agent)
        }
        do {
            return try SHA256.digest(ofFile: agent.string)
        } catch {
            throw ImageError(
                .inputOutput, "the agent cannot be read: \(error)", nextStep: "Give yourself access to it", cause: error
            )
        }
    }

    static func agentMissing(_ path: FilePath?) -> ImageError {
        ImageError(
            .agentMissing,
            path.map { "there is no salvor-agent at \($0)" } ?? "the image was to be built without salvor-agent",
            nextStep: "Build it (swift build -c release --static-swift-stdlib --product salvor-agent) and name it")
    }

    private static func key(_ recipe: ImageRecipe, _ agent: Digest?) -> Digest {
        SHA256.digest(of: Array("\(format)\nrecipe \(recipe.digest)\nagent \(agent?.hex ?? "none")\n".utf8))
    }

    private static func digest(_ key: Digest, _ packages: [DebianPackage]) -> Digest {
        SHA256.digest(of: Array("\(key)\n\(packages.map { $0.line + "\n" }.joined())".utf8))
    }
}
