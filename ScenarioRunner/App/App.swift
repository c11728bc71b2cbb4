@main struct App { static func main() {} }
import ArgumentParser
