internal import ArgumentParser
internal import FoundationEssentials
internal import SalvorCoordinatorCore
internal import SalvorDigest

struct RecipeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "recipe", abstract: "Looks at recipes: which there are, whether one is sound, what one does.",
        discussion: """
            A recipe says what to find on a disk, how to judge it and what to do. Its form is Coordinator/recipes/README.md \
            and, for editors, recipe.schema.json beside it.
            """,
        subcommands: [List.self, Check.self, Explain.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "Lists the recipes that come with salvor.")

        @Option(help: "table for people, json for programs.")
        var output: OutputFormat = .table

        func run() async throws {
            try await ending { [self] in
                let recipes = try BuiltInRecipes(try Installation.find()).all()
                switch output {
                case .table:
                    let width = recipes.map(\.name.count).max() ?? 0
                    for recipe in recipes {
                        let gap = String(repeating: " ", count: width - recipe.name.count + 2)
                        StandardStreams.print("\(recipe.name)\(gap)\(recipe.description)")
                    }
                case .json: StandardStreams.print(try JSONOutput.render(recipes.map { RecipeAnswer($0, file: nil) }))
                }
                return .success
            }
        }
    }

    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "check",
            abstract: "Says whether recipes are sound, and where not, the line and column of the mistake.",
            discussion: """
                Exit code 0: all are sound. 4: at least one is not.

                Examples:
                  salvor recipe check my-recipe.yaml
                  salvor recipe check recipes/*.yaml --output json
                """)

        @Argument(help: ArgumentHelp("Files, or names of recipes that come with salvor.", valueName: "recipe"))
        var recipes: [String]

        @Option(help: "table for people, json for programs.")
        var output: OutputFormat = .table

        func run() async throws {
            try await ending { [self] in
                let builtIn = BuiltInRecipes(try Installation.find())
                var answers: [RecipeAnswer] = []
                for name in recipes {
                    let path = builtIn.path(of: name)
                    do throws(CoordinatorError) {
                        answers.append(RecipeAnswer(try RecipeReader.read(path: path), file: path))
                    } catch {
                        answers.append(RecipeAnswer(file: path, mistake: error.message))
                    }
                }
                switch output {
                case .table:
                    for answer in answers {
                        StandardStreams.print(
                            answer.mistake
                                ?? "\(answer.file ?? ""): sound: \(answer.name ?? ""), version \(answer.version ?? 0)")
                    }
                case .json: StandardStreams.print(try JSONOutput.render(answers))
                }
                return answers.contains { $0.mistake != nil } ? .invalidInput : .success
            }
        }
    }

    struct Explain: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "explain", abstract: "Says in sentences what a recipe looks for and what it does.",
            discussion: """
                Examples:
                  salvor recipe explain crowdstrike-291
                  salvor recipe explain my-recipe.yaml
                """)

        @Argument(help: ArgumentHelp("A file, or the name of a recipe that comes with salvor.", valueName: "recipe"))
        var recipe: String

        func run() async throws {
            try await ending { [self] in
                let builtIn = BuiltInRecipes(try Installation.find())
                for line in try RecipeReader.read(path: builtIn.path(of: recipe)).explanation {
                    StandardStreams.print(line)
                }
                return .success
            }
        }
    }
}

/// A recipe, or what is wrong with it, for programs.
private struct RecipeAnswer: Encodable {
    var name: String?
    var version: UInt32?
    var description: String?
    var sha256: String?
    var file: String?
    var mistake: String?

    init(_ recipe: Recipe, file: String?) {
        name = recipe.name
        version = recipe.version
        description = recipe.description
        sha256 = recipe.sha256.hex
        self.file = file
    }

    init(file: String, mistake: String) {
        self.file = file
        self.mistake = mistake
    }
}
