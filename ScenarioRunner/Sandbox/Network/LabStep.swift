/// One step in building the lab's network: plain data, so that a test can read the whole plan.
enum LabStep: Sendable, Equatable {
    /// Run a tool, with text on its standard input.
    case run(String, [String], input: String? = nil)
    /// Write a file of the kernel's or of the lab's own /run.
    case write(String, to: String)

    /// Takes the step.
    ///
    /// - Throws: ``ToolError`` or ``SystemFileError``.
    func take() async throws {
        switch self {
        case .run(let tool, let arguments, let input):
            try await CommandLineTool.run(tool, arguments, input: input)
        case .write(let text, let path):
            try SystemFile.write(text, to: path)
        }
    }
}
