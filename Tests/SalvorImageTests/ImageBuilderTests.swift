import Fixtures
import SalvorDigest
import SalvorImage
import Synchronization
import SystemPackage
import Testing

/// Builds are of the stand-in guest, which is small; ``RescueImageTests`` builds the real one.
@Suite(.serialized) struct ImageBuilderTests {
    /// What a build said of its progress.
    private final class Log: Sendable {
        private let steps = Mutex<[ImageProgress]>([])
        func add(_ step: ImageProgress) { steps.withLock { $0.append(step) } }
        var all: [ImageProgress] { steps.withLock { $0 } }
    }

    private func builder(_ cache: FilePath, tools: ToolRunner = ToolRunner()) throws -> ImageBuilder {
        ImageBuilder(
            recipe: try ImageRecipe(directory: StandInGuest.recipeDirectory), cacheDirectory: cache, tools: tools)
    }

    @Test func `The same inputs give the same bytes, and a second build runs no program at all`() async throws {
        try await withScratch { scratch in
            let one = try await builder(try freshCache(in: scratch, "one")).build(agent: nil)
            let two = try await builder(try freshCache(in: scratch, "two")).build(agent: nil)
            #expect(one.digest == two.digest)
            #expect(one.kernel != two.kernel)
            #expect(try SHA256.digest(ofFile: one.kernel.string) == SHA256.digest(ofFile: two.kernel.string))
            #expect(try SHA256.digest(ofFile: one.initramfs.string) == SHA256.digest(ofFile: two.initramfs.string))
            #expect(one.packages.contains { $0.name == "linux-image-\(one.kernelRelease)" })

            let log = Log()
            let noTools = ToolRunner(searchPath: [])
            let again = try await builder(scratch.appending("one"), tools: noTools).build(agent: nil) { log.add($0) }
            #expect(again == one)
            #expect(log.all == [.resolvingPackages, .alreadyBuilt])
            let cached = try await builder(scratch.appending("one"), tools: noTools).cached(agent: nil)
            #expect(cached == one)
            #expect(try Posix.names(in: scratch.appending("one")) == ["images", "packages"])

            // What was damaged is not handed out.
            let path = one.initramfs
            var bytes = try Posix.read(path)
            bytes[bytes.count / 2] ^= 1
            Posix.removeTree(path)
            try Posix.write(bytes, to: path)
            let damaged = try await builder(scratch.appending("one"), tools: noTools).cached(agent: nil)
            #expect(damaged == nil)
            let rebuilt = try await builder(scratch.appending("one")).build(agent: nil)
            #expect(rebuilt == one)
        }
    }

    @Test func `Nothing is cached before the first build`() async throws {
        try await withScratch { scratch in
            let cached = try await builder(scratch.appending("new")).cached(agent: nil)
            #expect(cached == nil)
        }
    }

    @Test func `Without apt the error names what to install`() async throws {
        try await withScratch { scratch in
            let error = try await imageError {
                _ = try await builder(scratch, tools: ToolRunner(searchPath: [scratch])).build(agent: nil)
            }
            #expect(error?.code == .toolMissing)
            #expect(error?.description == "apt-cache is not installed. Install it (apt-get install apt) and try again.")
        }
    }

    @Test func `Without a network the error names the package and what to do`() async throws {
        try await withScratch { scratch in
            let fake = scratch.appending("fake")
            try makeScript("apt-get", in: fake, "echo \"E: Could not resolve 'deb.debian.org'\" >&2; exit 100")
            var tools = ToolRunner()
            tools.searchPath.insert(fake, at: 0)
            let cache = scratch.appending("cache")
            let error = try await imageError { _ = try await builder(cache, tools: tools).build(agent: nil) }
            #expect(error?.code == .packageUnavailable)
            #expect(error?.message.contains("the Debian package linux-image-") == true)
            #expect(error?.message.contains("Could not resolve") == true)
            #expect(try Posix.names(in: cache) == ["images", "packages"])
            #expect(try Posix.names(in: cache.appending("packages")).allSatisfy { $0.hasPrefix("resolution-") })
        }
    }

    @Test func `A download that is not what apt promised is refused`() async throws {
        try await withScratch { scratch in
            let fake = scratch.appending("fake")
            // The last argument is NAME=VERSION; the file gets the name that apt-get would give it.
            try makeScript(
                "apt-get", in: fake,
                """
                for argument; do :; done
                version=$(echo "${argument#*=}" | sed 's/:/%3a/g')
                echo forged >"${argument%%=*}_${version}_amd64.deb"
                """)
            var tools = ToolRunner()
            tools.searchPath.insert(fake, at: 0)
            let error = try await imageError {
                _ = try await builder(scratch.appending("cache"), tools: tools).build(agent: nil)
            }
            #expect(error?.code == .packageDamaged)
        }
    }

    @Test func `A full disk says so`() async throws {
        try await withScratch { scratch in
            let fake = scratch.appending("fake")
            try makeScript(
                "apt-get", in: fake,
                "echo 'E: write, still have 1 to write (28: No space left on device)' >&2; exit 100")
            var tools = ToolRunner()
            tools.searchPath.insert(fake, at: 0)
            let error = try await imageError {
                _ = try await builder(scratch.appending("cache"), tools: tools).build(agent: nil)
            }
            #expect(error?.code == .diskFull)
        }
        let error = #expect(throws: ImageError.self) { try fillDevice() }
        #expect(error?.code == .diskFull)
    }

    /// `/dev/full` answers every write with ENOSPC.
    private func fillDevice() throws {
        let file = try FileDescriptor.open("/dev/full", .writeOnly)
        defer { try? file.close() }
        do {
            try file.writeAll([0])
        } catch let error as Errno {
            throw Posix.failure(error.rawValue, "/dev/full cannot be written")
        }
    }

    @Test func `A package that apt does not know is named`() async throws {
        try await withScratch { scratch in
            let recipe = scratch.appending("recipe")
            try Posix.makeDirectories(recipe)
            try Posix.write(Array("no-such-package-291\n".utf8), to: recipe.appending("packages.txt"))
            try Posix.write([], to: recipe.appending("modules.txt"))
            try Posix.write([], to: recipe.appending("files.txt"))
            let builder = ImageBuilder(
                recipe: try ImageRecipe(directory: recipe), cacheDirectory: scratch.appending("cache"))
            let error = try await imageError { _ = try await builder.build(agent: nil) }
            #expect(error?.code == .packageNotFound)
            #expect(error?.message == "apt knows no package no-such-package-291")
        }
    }

    @Test func `The libraries that an agent needs come with it, and one that no package has is named`() async throws {
        try await withScratch { scratch in
            let builder = ImageBuilder(
                recipe: try ImageRecipe(directory: rescueRecipe), cacheDirectory: try freshCache(in: scratch, "cache"))
            // Stands in for salvor-agent: it needs libssl and libcrypto.
            let image = try await builder.build(agent: "/usr/bin/openssl")
            let listing = try await ToolRunner().output(
                "cpio", ["--list", "--quiet", "--file", image.initramfs.string])
            let paths = Set(String(decoding: listing, as: UTF8.self).split(separator: "\n"))
            let folder = "usr/lib/x86_64-linux-gnu"
            for path in ["init", "usr/sbin/salvor-agent", "\(folder)/libssl.so.3", "\(folder)/libcrypto.so.3"] {
                #expect(paths.contains(path[...]), "\(path) is not in the image")
            }
            let error = try await imageError { _ = try await builder.build(agent: "/usr/bin/qemu-img") }
            #expect(error?.code == .contentMissing)
            #expect(error?.message.contains("which /usr/sbin/salvor-agent asks for, is in none") == true)
            #expect(try Posix.names(in: scratch.appending("cache")) == ["images", "packages"])
        }
    }

    @Test func `A missing agent is named before anything is downloaded`() async throws {
        try await withScratch { scratch in
            let builder = ImageBuilder(
                recipe: try ImageRecipe(directory: rescueRecipe), cacheDirectory: scratch.appending("cache"))
            let error = try await imageError { _ = try await builder.build(agent: scratch.appending("salvor-agent")) }
            #expect(error?.code == .agentMissing)
            #expect(error?.message == "there is no salvor-agent at \(scratch)/salvor-agent")
            #expect(Posix.kind(scratch.appending("cache")) == nil)
        }
    }
}
