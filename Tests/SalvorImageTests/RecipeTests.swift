import SalvorImage
import SystemPackage
import Testing

@Suite struct RecipeTests {
    private func recipe(
        _ scratch: FilePath, packages: String = "busybox-static\n", modules: String = "", files: String = ""
    ) throws -> ImageRecipe {
        let folder = try Posix.makeTemporaryDirectory(in: scratch, prefix: "recipe-")
        try Posix.write(Array(packages.utf8), to: folder.appending("packages.txt"))
        try Posix.write(Array(modules.utf8), to: folder.appending("modules.txt"))
        try Posix.write(Array(files.utf8), to: folder.appending("files.txt"))
        try Posix.write(Array("#!/bin/sh\n".utf8), to: folder.appending("init"))
        return try ImageRecipe(directory: folder)
    }

    @Test func `The rescue image's own recipe reads, and holds the agent`() throws {
        let recipe = try ImageRecipe(directory: rescueRecipe)
        #expect(recipe.needsAgent)
        #expect(recipe.packages.contains { $0.isMeta && $0.name == "linux-image-cloud-amd64" })
        for module in ["virtio_blk", "hv_storvsc", "hv_netvsc", "fuse", "dm-crypt"] {
            #expect(recipe.modules.contains(module))
        }
    }

    @Test func `Comments and empty lines say nothing`() async throws {
        try await withScratch { scratch in
            let recipe = try recipe(
                scratch, packages: "# all\n\n@linux-image  # newest\n", files: "local init /init 0755\n")
            #expect(recipe.packages.map(\.name) == ["linux-image"] && recipe.packages.allSatisfy(\.isMeta))
            #expect(recipe.items == [.local(bytes: Array("#!/bin/sh\n".utf8), path: "/init", permissions: 0o755)])
            #expect(!recipe.needsAgent)
        }
    }

    @Test(arguments: [
        "copy /a", "file relative", "file /usr/../etc/shadow", "local init /init", "local init /init 0999",
        "local ../init /init 0755", "directory /a 99999", "agent", "link /a",
    ])
    func `A line that cannot be followed is named by file and number, with what it should say`(line: String)
        async throws
    {
        try await withScratch { scratch in
            let error = #expect(throws: ImageError.self) { try recipe(scratch, files: "# first\n\(line)\n") }
            #expect(error?.code == .recipeInvalid)
            #expect(error?.message.hasSuffix("files.txt, line 2, cannot be followed") == true)
        }
    }

    @Test func `Neither an option nor a path passes for a package`() async throws {
        try await withScratch { scratch in
            for name in ["--install-recommends", "../x", "a b", "UPPER"] {
                let error = #expect(throws: ImageError.self) { try recipe(scratch, packages: name + "\n") }
                #expect(error?.code == .recipeInvalid)
            }
        }
    }

    @Test func `The digest follows every byte of the recipe`() async throws {
        try await withScratch { scratch in
            let one = try recipe(scratch, modules: "fuse\n")
            #expect(try recipe(scratch, modules: "fuse\n").digest == one.digest)
            #expect(try recipe(scratch, modules: "fuse\nvfat\n").digest != one.digest)
            let with = try recipe(scratch, files: "local init /init 0755\n")
            let folder = with.directory
            Posix.removeTree(folder.appending("init"))
            try Posix.write(Array("#!/bin/ash\n".utf8), to: folder.appending("init"))
            #expect(try ImageRecipe(directory: folder).digest != with.digest)
        }
    }

    @Test func `A folder without a recipe says which one is meant`() throws {
        let error = #expect(throws: ImageError.self) { try ImageRecipe(directory: "/nonexistent") }
        #expect(error?.description.contains("Agent/image") == true)
    }
}
