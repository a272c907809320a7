#include "gateway/ctl/option_artifact.hpp"

#include <CLI/CLI.hpp>

#include "gateway/ctl/option_checks.hpp"

namespace dfota::ctl {
namespace {

void add_add(CLI::App& verb, ArtifactLine& line) {
  auto& call = line.call;
  line.add = verb.add_subcommand("add",
                                 "have the gateway keep a delta: a FILE of this host, which must be the "
                                 "gateway's own, or one that it fetches (--url)");
  auto* file = line.add->add_option("file", call.file, "the delta")->type_name("FILE")->check(CLI::ExistingFile);
  auto* url = line.add->add_option("--url", call.url, "where the gateway fetches it")->excludes(file);
  line.add->add_option("--sha256", call.sha256, "of what is there")->needs(url);
  line.add->add_option("--size", call.size, "of what is there, in bytes")->needs(url)->check(CLI::PositiveNumber);
  line.add->add_option("--model", call.model, "the modules that it is for, as ATI answers: UC20")->required();
  line.add->add_option("--from", call.from, "the version that it starts from")->required();
  line.add->add_option("--to", call.to, "the version that it leads to")->required();
  line.add->add_option("--name", call.name, "what the artifact is called; left out: as the file")
      ->check(rule(check_artifact, "NAME"));
  line.add->add_option("--released", call.released, "the day of --to, 2024-05-01, or a time (RFC 3339)");
  line.add->add_option("--from-released", call.from_released, "the day of --from");
  line.add->add_option("--notes", call.notes, "what people should know of it");
  line.add->add_option("--signature", call.signature_file, "its .minisig")->type_name("FILE")->check(CLI::ExistingFile);
  line.add->add_option("--incoming", call.incoming, "the gateway's artifacts.incoming; left out: it is asked")
      ->type_name("DIR")
      ->excludes(url);
}

/// What stands behind the last slash of a path, or of a URL's path.
std::string last_part(const std::string& place) {
  const auto path = place.substr(0, place.find_first_of("?#"));
  return path.substr(path.rfind('/') + 1);
}

ArtifactAddCall add_call(ArtifactAddCall call) {
  if (call.file.empty() && call.url.empty()) throw CLI::ValidationError("artifact add", "a FILE or --url is needed");
  if (!call.url.empty() && call.sha256.empty()) throw CLI::ValidationError("--sha256", "is needed with --url");
  if (!call.url.empty() && !call.size) throw CLI::ValidationError("--size", "is needed with --url");
  if (call.name.empty()) {
    call.name = call.file.empty() ? last_part(call.url) : call.file.substr(call.file.rfind('/') + 1);
    if (const auto wrong = check_artifact(call.name); !wrong.empty()) {
      throw CLI::ValidationError("--name", "is needed: " + wrong);
    }
  }
  return call;
}

}  // namespace

void add_artifact(CLI::App& app, ArtifactLine& line) {
  line.verb = app.add_subcommand("artifact", "the deltas that the gateway keeps");
  line.verb->require_subcommand(1);
  line.verb->fallthrough();
  add_add(*line.verb, line);
  line.list = line.verb->add_subcommand("list", "list them");
  line.remove = line.verb->add_subcommand("remove", "remove one, which no job needs that has not ended");
  line.remove->add_option("name", line.name, "of the artifact")->required()->check(rule(check_artifact, "NAME"));
}

AnyCall artifact_call(const ArtifactLine& line) {
  if (line.list->parsed()) return ArtifactListCall{};
  if (line.remove->parsed()) return ArtifactRemoveCall{line.name};
  return add_call(line.call);
}

}  // namespace dfota::ctl
