import Foundation
import SalvorAzure
import Synchronization
import Testing

/// Whoever has signed in to the Azure CLI.
@Suite struct AzureCLITests {
    private static func cli(_ outcome: AzureCLI.Outcome, _ asked: Asked = Asked()) -> AzureCLI {
        AzureCLI { arguments in
            asked.calls.withLock { $0.append(arguments) }
            return outcome
        }
    }

    private final class Asked: Sendable {
        let calls = Mutex<[[String]]>([])
    }

    private static func ended(_ code: Int32, _ output: String = "", error: String = "") -> AzureCLI.Outcome {
        .ended(code, output: Array(output.utf8), complaint: Array(error.utf8))
    }

    private static let answer = """
        {"accessToken": "of the person", "expiresOn": "2024-07-19 06:09:00.000000", "expires_on": 1721365740,
         "subscription": "s", "tenant": "t", "tokenType": "Bearer"}
        """

    @Test("Its token ends at the number, whatever this machine's time zone is")
    func token() async throws {
        let asked = Asked()
        var signIn = SignIn()
        signIn.cli = Self.cli(Self.ended(0, Self.answer), asked)
        let token = try await signIn.token()
        #expect(token.secret == "of the person")
        #expect(token.expires == 1_721_365_740)
        let plain = [
            "account", "get-access-token", "--output", "json", "--resource", "https://management.azure.com",
        ]
        #expect(asked.calls.withLock { $0 } == [plain])
        signIn.subscription = "s"
        _ = try await signIn.token()
        signIn.tenant = "t"
        _ = try await signIn.token()
        #expect(
            asked.calls.withLock { $0 }.dropFirst() == [plain + ["--subscription", "s"], plain + ["--tenant", "t"]])
    }

    @Test("What is set cannot become an option of it")
    func injected() async throws {
        let asked = Asked()
        var signIn = SignIn(tenant: "--debug")
        signIn.cli = Self.cli(Self.ended(0, Self.answer), asked)
        #expect(try await signIn.failure()?.message.contains("begins with a dash") == true)
        #expect(asked.calls.withLock { $0 }.isEmpty)
    }

    @Test(
        "What went wrong is said, without what is secret",
        arguments: [
            (.missing, "az is not installed"), (.notStarted, "could not be started"), (.tooLate, "within 30 s"),
            (ended(0, "WARNING"), "az printed no token"),
            (
                ended(0, #"{"accessToken":"eyJhbGciOiJSUzI1NiJ9.secret","expiresOn":"2024-07-19"}"#),
                "update it to 2.54.0"
            ),
            (ended(1, error: "ERROR: Please run 'az login' to setup account.\n"), "is not signed in: run az login."),
            (ended(1, error: "ERROR: Subscription 's' not found. Try 'az account set'."), "is not signed in"),
            (
                ended(
                    1, error: "ERROR: AADSTS700082: The refresh token has expired.\nTo re-authenticate, run:\naz login"),
                "AADSTS700082: The refresh token has expired."
            ),
            (ended(127, error: "sh: az: not found"), "az is not installed"),
            (ended(2), "az ended with 2 and said nothing"),
            (
                ended(
                    1,
                    error: #"Traceback: {"accessToken": "eyJhbGciOiJSUzI1NiJ9.secret"} and eyJhbGciOiJSUzI1NiJ9.x-y_z"#),
                #"Traceback: {"accessToken": "(secret)"} and (token)"#
            ),
        ] as [(AzureCLI.Outcome, String)])
    func failures(outcome: AzureCLI.Outcome, expected: String) async throws {
        var signIn = SignIn()
        signIn.cli = Self.cli(outcome)
        let error = try #require(try await signIn.failure())
        #expect(error.code == .notSignedIn)
        #expect(error.message.contains("Azure CLI: "))
        #expect(error.message.contains(expected), "\(error)")
        #expect(!"\(error)".contains("eyJ"))
    }

    /// With a program of that name in a folder of ours.
    @Test("It is found in PATH and run without a shell, in an environment that says not to use colours")
    func process() async throws {
        let folder = try SignInFolder()
        try folder.write(
            "az",
            Array(
                """
                #!/bin/sh
                test "$AZURE_CORE_NO_COLOR" = true && test "$PWD" = /bin -o "$PWD" = /usr/bin || exit 9
                test "$#" = 8 && test "$8" = 'a b;$(touch /)' || exit 8
                echo '{"accessToken": "of the program", "expires_on": 1721365740}'
                """.utf8), mode: 0o700)
        var signIn = SignIn(tenant: "a b;$(touch /)")
        signIn.cli = .installed(["PATH": "relative::/nowhere:\(folder.path):/bin"])
        #expect(try await signIn.token().secret == "of the program")
    }

    @Test("One that cannot be run is passed over, and one in a relative folder too")
    func unusable() async throws {
        let folder = try SignInFolder()
        try folder.write("az", Array("#!/bin/sh".utf8), mode: 0o600)
        try FileManager.default.createDirectory(atPath: "\(folder.path)/x/az", withIntermediateDirectories: true)
        var signIn = SignIn()
        for path in ["", ".", folder.path, "\(folder.path)/x"] {
            signIn.cli = .installed(["PATH": path])
            #expect(try await signIn.failure()?.message.contains("az is not installed") == true)
        }
        let broken = try SignInFolder()
        try broken.write("az", Array("#!/no/such/interpreter".utf8), mode: 0o700)
        signIn.cli = .installed(["PATH": broken.path])
        #expect(try await signIn.failure()?.message.contains("az could not be started") == true)
    }

    @Test("Its complaint is quoted as it ends")
    func complaint() async throws {
        let folder = try SignInFolder()
        try folder.write("az", Array("#!/bin/sh\necho 'ERROR: the disk is full' >&2; exit 3".utf8), mode: 0o700)
        var signIn = SignIn()
        signIn.cli = .installed(["PATH": folder.path])
        #expect(try await signIn.failure()?.message.contains("az ended with 3: the disk is full") == true)
    }
}
