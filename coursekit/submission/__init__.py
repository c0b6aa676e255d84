"""A student's folder -> one notebook in the structure of the source notebook, repaired if possible.

In the order of the work:

    loading           the whole way; dates and answer_hashes beside it
    folders           the files in the folder; archives and zip_names: those in a zip file
    candidates        the notebooks among them; wrong_file_types: what the others are
    salvage           bytes -> notebooks: encodings, encoding_plausibility, damaged_json, python_json,
                      notebook_parser, plain_notebook
    selection         the notebook to grade; supporting_files: what its code may read
    cells             source cells and submitted cells; matched_cells and matching: which belong together
    rebuild           answers and added cells in a fresh copy of the source; repairs: the notes about it
    written_answers   a written answer outside its cell; prose, pictures, attachments: what is in it
    submitted_outputs outputs of cells that are not run; display_data: what of them is allowed
"""
