"""`check` tells of data that is not there, without reading any."""

from cnnpipe.jobs.check import check

RECIPE = """
task: {type: image_classification, classes: [a, b]}
data:
  source: {type: image_folder, path: photos}
  preprocessing: {image_size: [8, 8]}
model: {blocks: [flatten]}
training: {epochs: 1}
"""


def test_a_missing_folder_is_a_warning_at_its_line(tmp_path):
    file = tmp_path / "recipe.yaml"
    file.write_text(RECIPE)
    found = check(file)
    assert found.passed
    (problem,) = found.problems
    assert (problem.path, problem.place.line, problem.severity) == ("data.source.path", 4, "warning")
    assert str(tmp_path / "photos") in problem.message


def test_a_folder_that_is_there_is_none(tmp_path):
    file = tmp_path / "recipe.yaml"
    file.write_text(RECIPE)
    (tmp_path / "photos").mkdir()
    assert not check(file).problems
