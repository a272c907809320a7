// A catalog over a real cache in a directory of its own, driven on the test's thread.
#pragma once

#include <nlohmann/json.hpp>

#include "gateway/catalog.hpp"
#include "tests/support/fetch_fixture.hpp"
#include "tests/support/minisign_signer.hpp"

namespace dfota::test {

inline Manifest manifest_of(const std::string& name, const std::string& bytes, const std::string& to = "R12") {
  Manifest manifest;
  manifest.name = name;
  manifest.model = "UC20";
  manifest.from = "R11";
  manifest.to = to;
  manifest.sha256 = hash_of(bytes);
  manifest.size = bytes.size();
  return manifest;
}

class CatalogBench {
 public:
  CatalogBench() { fs::create_directory(incoming()); }
  ~CatalogBench() { close(); }
  CatalogBench(const CatalogBench&) = delete;
  CatalogBench& operator=(const CatalogBench&) = delete;

  [[nodiscard]] fs::path incoming() const { return fetching.root / "incoming"; }
  [[nodiscard]] fs::path directory() const { return fetching.root / "catalog"; }
  void drop(const std::string& name, const std::string& bytes) const {
    std::ofstream(incoming() / name, std::ios::binary) << bytes;
  }

  Catalog& open() {
    if (catalog) return *catalog;
    trust = std::make_unique<Trust>(config);
    catalog = std::make_unique<Catalog>(fetching.loop, fetching.open(), *trust, directory(), incoming());
    catalog->load();
    run(catalog->drop_lost());
    return *catalog;
  }
  /// What is awaited at the end of a gateway's life stays unfinished.
  void close() {
    catalog.reset();
    fetching.fetch.reset();
  }

  void run(Awaitable<> work) {
    bool done = false;
    asio::co_spawn(fetching.loop, std::move(work), [&](const std::exception_ptr& thrown) {
      if (thrown) std::rethrow_exception(thrown);
      done = true;
    });
    fetching.run_until([&] { return done; });
  }
  template <class T>
  T result(Awaitable<T> work) {
    std::optional<T> outcome;
    asio::co_spawn(fetching.loop, std::move(work), [&](const std::exception_ptr& thrown, T value) {
      if (thrown) std::rethrow_exception(thrown);
      outcome = std::move(value);
    });
    fetching.run_until([&] { return outcome.has_value(); });
    return std::move(*outcome);
  }

  /// The code of the fault; empty: it went well.
  std::string add(const Manifest& manifest) { return code_of(result(open().add(manifest))); }
  std::string remove(const std::string& name) { return code_of(result(open().remove(name))); }

  FetchBench fetching;
  ArtifactsConfig config;
  std::unique_ptr<Trust> trust;
  std::unique_ptr<Catalog> catalog;

 private:
  static std::string code_of(const std::optional<CommandFault>& fault) { return fault ? fault->code : std::string(); }
};

}  // namespace dfota::test
