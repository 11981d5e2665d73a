internal import ArgumentParser
internal import SalvorCoordinatorCore

struct ExitCodesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "exit-codes", abstract: "Lists what salvor's exit codes mean.")

    func run() throws {
        for code in SalvorCoordinatorCore.ExitCode.allCases {
            let number = String(code.rawValue)
            let indent = String(repeating: " ", count: max(0, 4 - number.count))
            StandardStreams.print("\(indent)\(number)  \(code.summary)")
        }
    }
}
